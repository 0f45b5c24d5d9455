"""A UI worker: Streamlit's ASGI app on a private socket, or on the port that its parent gave."""

from __future__ import annotations

import socket

from fluxlit.app import FluxLit
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime.targets import parse_target, source_folder
from fluxlit.workers.collector import freeze
from fluxlit.workers.server import serve
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.ui import GRACE, UI, telling_pages
from fluxlit.workers.ui_plan import UIPlan


def serve_ui(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Serve the app's UI until asked to end."""
    plan = app.ui_plan(spec, source_folder(parse_target(spec.target)))

    def ready() -> None:
        freeze()
        lifeline.report("ready")

    with telling_pages(plan):
        ui = UI(plan)
        server = ui.server(ready)
        listening = _lent(lifeline, plan) if spec.alone else [ui.listen()]
        serve(server, listening, *ui.jobs(server))


def _lent(lifeline: Lifeline, plan: UIPlan) -> list[socket.socket]:
    """Tell the parent where to listen, and get the socket: it outlives this worker."""
    settings = plan.settings
    lifeline.report(
        "loaded",
        host=settings.gateway_host,
        port=settings.gateway_port,
        title=settings.title,
        ui=plan.base_path,
        grace=GRACE,
        log_level=settings.effective_log_level(),
        ui_workers=settings.wanted_ui_workers(),
    )
    _, sockets = lifeline.receive()
    return sockets


if __name__ == "__main__":
    run_worker(serve_ui)
