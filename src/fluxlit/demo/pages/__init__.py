"""The desk's pages, in the order in which ``app.py`` shows them."""
