"""Are there pages, and does the API answer for its health?"""

from __future__ import annotations

from collections.abc import Iterator

from fluxlit.config.findings import Finding, Level, passed
from fluxlit.diagnostics.subject import Patient
from fluxlit.health import HEALTH_PATH, READY_PATH
from fluxlit.pages.validate import validate_fluxlit_pages


def pages(patient: Patient) -> Iterator[Finding]:
    """Count what there is to see."""
    app = patient.app
    if app.streamlit_script is not None:
        yield passed("pages", f"the script {app.streamlit_script.name}")
    elif app.page_records:
        yield passed("pages", ", ".join(page.path for page in app.page_records))
    else:
        remedy = "register one: @app.page('/')"
        yield Finding("pages", Level.WARNING, "there is no page to see", remedy)


def readiness_route(patient: Patient) -> Iterator[Finding]:
    """Look for the routes that probes ask."""
    prefix = patient.app.settings.public_mount_path() + patient.app.settings.api_prefix()
    paths = {getattr(route, "path", "") for route in patient.app.api.routes}
    missing = {HEALTH_PATH, READY_PATH} - paths
    if missing:
        message = f"the API has no {' and no '.join(sorted(missing))}"
        yield Finding("readiness_route", Level.WARNING, message, "let the app object serve the API")
    else:
        yield passed("readiness_route", f"{prefix}{HEALTH_PATH}, {prefix}{READY_PATH}")


def validation(patient: Patient) -> Iterator[Finding]:
    """Look for what is wrong with the pages, as ``fluxlit pages validate`` does."""
    problems = validate_fluxlit_pages(patient.app, strict_signatures=patient.subject.strict or None)
    remedy = "correct it where the page or the navigation is declared"
    yield from (Finding("pages_validate", Level.ERROR, problem, remedy) for problem in problems)
    if not problems:
        yield passed("pages_validate", "nothing is wrong with the pages")


def experimental(patient: Patient) -> Iterator[Finding]:
    """Tell whether pages may yield."""
    is_on = patient.app.settings.experimental_yield_pages
    yield passed("experimental_yield_pages", "on" if is_on else "off")
