"""The demo: ``fluxlit demo``, or ``fluxlit run fluxlit.demo.app:app``."""

from __future__ import annotations

from fluxlit import FluxLit
from fluxlit.demo.api import lifespan, router
from fluxlit.demo.catalog import COMPANY
from fluxlit.demo.pages import import_file, incidents, overview, report, system

_THEME = (
    "primaryColor=#0e9aa7",
    "baseRadius=0.5rem",
    "sidebar.backgroundColor=#14273d",
    "sidebar.secondaryBackgroundColor=#1e3a5f",
    "sidebar.textColor=#e6eef5",
)

app = FluxLit(
    title=f"{COMPANY} operations desk",
    import_target="fluxlit.demo.app:app",
    fastapi_kwargs={"lifespan": lifespan},
    streamlit_run_args=[
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=minimal",
        # Naming both themes keeps the browser's choice between light and dark.
        *(f"--theme.{base}.{option}" for base in ("light", "dark") for option in _THEME),
    ],
    streamlit_page_config={
        "layout": "wide",
        "page_icon": "❄️",
        "menu_items": {"About": "An application on FluxLit: Streamlit pages, FastAPI routes."},
    },
)
app.api.include_router(router)
for page in (overview, incidents, report, import_file, system):
    page.register(app)
