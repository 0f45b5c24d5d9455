"""Compares ways to serve the same API and the same pages; run by ``make bench``."""
