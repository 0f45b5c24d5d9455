"""Open a page's WebSocket from outside, end to end, and as another site would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from fluxlit.config.findings import Finding, Level, passed

STREAM: Final = "_stcore/stream"
STRANGER: Final = "https://stranger.invalid"
"""The origin of a site that cannot exist (RFC 2606 section 2)."""


def websocket(ui: str, patience: float, headers: Mapping[str, str]) -> Iterator[Finding]:
    """Open the UI's WebSocket as a page does and exchange a ping, which the UI worker answers.

    Where that works, another site's page must not get as far.

    Args:
        ui: Address of the UI's root.
        patience: Seconds for each step.
        headers: What to send besides, such as credentials.
    """
    failure = _try(ui, _origin_of(ui), patience, headers)
    if not failure:
        yield passed("live.websocket", "opens, and the UI answers through it")
        yield _stranger(_try(ui, STRANGER, patience, headers))
        return
    remedy = (
        "let every proxy pass upgrades on (nginx: proxy_http_version 1.1, Upgrade and Connection"
        " headers), and Host or public_base_url as browsers see it"
    )
    yield Finding("live.websocket", Level.ERROR, f"the UI's WebSocket: {failure}", remedy)


def _stranger(refusal: str) -> Finding:
    """Judge how another site's page fared."""
    if refusal:
        return passed("live.websocket_origin", f"another site's page is {refusal}")
    message = "another site's page may open the UI's WebSocket"
    remedy = "name the sites in ui_allowed_origins, and let no proxy change Origin"
    return Finding("live.websocket_origin", Level.ERROR, message, remedy)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _try(ui: str, origin: str, patience: float, headers: Mapping[str, str]) -> str:
    """Open the WebSocket and ping; say what went wrong, or nothing."""
    address = f"ws{ui.removeprefix('http')}{STREAM}"
    try:
        with connect(
            address,
            origin=Origin(origin),
            additional_headers=headers,
            subprotocols=[Subprotocol("streamlit")],
            open_timeout=patience,
            close_timeout=patience,
            proxy=None,
            user_agent_header="fluxlit-doctor",
        ) as opened:
            return "" if opened.ping().wait(patience) else "opens, but nobody answers a ping"
    except InvalidStatus as exc:
        return f"refused with status {exc.response.status_code}"
    except InvalidHandshake as exc:
        return f"no WebSocket came: {exc}"
    except OSError as exc:  # TimeoutError is one
        return str(exc) or type(exc).__name__
