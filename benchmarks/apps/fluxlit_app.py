"""The API and the page as one FluxLit object, for this version and for 0.13 alike."""

from __future__ import annotations

import os

from benchmarks.apps.api import add_routes
from benchmarks.apps.pages import PAGE_COUNT_VARIABLE, chosen_page
from fluxlit import FluxLit

app = FluxLit(title="Benchmark")
add_routes(app.api)
app.page("/", title="Home")(chosen_page())
for number in range(2, 1 + int(os.environ.get(PAGE_COUNT_VARIABLE, "1"))):
    app.page(f"/page-{number}", title=f"Page {number}", icon="📄")(chosen_page())
