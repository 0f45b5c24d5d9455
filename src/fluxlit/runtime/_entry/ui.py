"""A UI worker: Streamlit's ASGI app on a private socket, or on the port that its parent gave."""

from __future__ import annotations

import socket
import time
from dataclasses import asdict
from typing import Final

from fluxlit.app import FluxLit
from fluxlit.config.ui_rules import MAKE_ONE
from fluxlit.exceptions import ConfigurationError
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime.banner import Address
from fluxlit.runtime.following import followed
from fluxlit.workers.care import Limits
from fluxlit.workers.collector import freeze
from fluxlit.workers.server import serve
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.ui import UI, telling_pages
from fluxlit.workers.ui_plan import UIPlan

_BORN: Final = time.time()
"""When this process began: what is edited later may be newer than what it has imported."""

DEFAULT_PORT: Final = 8501
"""Where ``fluxlit ui`` listens unless told otherwise: Streamlit's own."""


def serve_ui(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Serve the app's UI until asked to end."""
    plan, following = followed(app.ui_plan(spec), since=_BORN)

    def ready() -> None:
        freeze()
        lifeline.report("ready")

    with telling_pages(plan):
        ui = UI(plan)
        server = ui.server(ready, lifeline.report_closed)
        listening = _lent(lifeline, plan) if spec.alone else [ui.listen()]
        serve(server, listening, *ui.jobs(server), *following)


def _lent(lifeline: Lifeline, plan: UIPlan) -> list[socket.socket]:
    """Tell the parent where to listen, and get the socket: it outlives this worker.

    Raises:
        ConfigurationError: There is no secret that would keep others out.
    """
    settings = plan.settings
    if not settings.ui_secret.get_secret_value():
        msg = "`fluxlit ui` serves whoever knows a secret, and there is none"
        raise ConfigurationError(msg, remedy=f"set FLUXLIT_UI_SECRET, here and there; {MAKE_ONE}")
    said = "streamlit_port" in settings.model_fields_set
    address = Address(
        host=settings.streamlit_host,
        port=settings.streamlit_port if said else DEFAULT_PORT,
        title=settings.title,
        log_level=settings.effective_log_level(),
        ui_workers=settings.wanted_ui_workers(),
        ui_limits=asdict(Limits.of_ui(settings, development=plan.spec.development)),
    )
    lifeline.report("loaded", **asdict(address))
    _, sockets = lifeline.receive()
    return sockets


if __name__ == "__main__":
    run_worker(serve_ui)
