"""How the parts of a service are put together: the gateway with what it serves and watches."""

from __future__ import annotations

from collections.abc import Mapping

from fluxlit._types import ASGIApp
from fluxlit.config import FluxlitSettings
from fluxlit.fleet import Fleet
from fluxlit.frontend import PageHead, make_frontend
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.observe import metrics_of
from fluxlit.gateway.options import GatewayOptions
from fluxlit.unified import Resource
from fluxlit.workers.ui_plan import UIPlan


def build_gateway(  # noqa: PLR0913 - one keyword for each part
    api: ASGIApp,
    settings: FluxlitSettings,
    fleet: Fleet,
    *,
    heads: Mapping[str, PageHead],
    docs_paths: frozenset[str],
    page_paths: tuple[str, ...],
    internal_socket: str = "",
) -> Gateway:
    """Build the gateway of one app.

    Args:
        api: The API.
        settings: The app's settings.
        fleet: The UI workers.
        heads: The head of each page.
        docs_paths: Paths at the UI's root that lead to the API's documentation.
        page_paths: Paths of pages that have parameters.
        internal_socket: Path of the private socket that the server listens on as well.
    """
    options = GatewayOptions.from_settings(
        settings,
        docs_paths=docs_paths,
        page_paths=page_paths,
        internal_socket=internal_socket,
        secret=fleet.secret,
    )
    frontend = make_frontend(settings, heads, fleet.has_our_frontend)
    return Gateway(api, options, fleet, frontend=frontend, metrics=metrics_of(settings, fleet))


def resources(fleet: Fleet, ui: UIPlan | None) -> list[Resource]:
    """Return what the service needs in this process beside gateway and API.

    Args:
        fleet: The UI workers.
        ui: What a UI in this process is told, if it is to be here.
    """
    if fleet.elsewhere is not None:
        return [fleet.elsewhere.watched]
    if ui is None or ui.settings.ui_mode != "embedded":
        return []
    from fluxlit.workers.ui import embedded  # noqa: PLC0415 - brings a server

    return [lambda _: embedded(ui)]
