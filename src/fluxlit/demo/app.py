"""The demo: ``fluxlit demo``, or ``fluxlit run fluxlit.demo.app:app``."""

from __future__ import annotations

from fluxlit import FluxLit
from fluxlit.demo.api import lifespan, router
from fluxlit.demo.catalog import COMPANY
from fluxlit.demo.pages import import_file, incidents, overview, report, system

app = FluxLit(
    title=f"{COMPANY} operations desk",
    import_target="fluxlit.demo.app:app",
    fastapi_kwargs={"lifespan": lifespan},
    streamlit_run_args=[
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=minimal",
        "--theme.primaryColor=#0e9aa7",
        "--theme.baseRadius=0.5rem",
        "--theme.sidebar.backgroundColor=#14273d",
        "--theme.sidebar.secondaryBackgroundColor=#1e3a5f",
        "--theme.sidebar.textColor=#e6eef5",
    ],
    streamlit_page_config={
        "layout": "wide",
        "page_icon": ":material/ac_unit:",
        "menu_items": {"About": "An application on FluxLit: Streamlit pages, FastAPI routes."},
    },
)
app.api.include_router(router)
for page in (overview, incidents, report, import_file, system):
    page.register(app)
