"""The API and the page as one FluxLit object, for this version and for 0.13 alike."""

from __future__ import annotations

from benchmarks.apps.api import add_routes
from benchmarks.apps.pages import chosen_page
from fluxlit import FluxLit

app = FluxLit(title="Benchmark")
add_routes(app.api)
app.page("/", title="Home")(chosen_page())
