"""The one application that every contestant serves, once per way of serving it.

The pages and the API are written once (``pages``, ``api``); the other files only mount them. Which
page an application shows is chosen by ``BENCH_PAGE``, so that a single page is always at the root.
"""
