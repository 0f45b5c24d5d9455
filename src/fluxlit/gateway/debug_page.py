"""What a developer may see of a running gateway: its settings, and where requests went of late.

Only while ``debug`` is on, and only from this machine: a request that another machine sent, that a
proxy passed on, or that a foreign page makes a browser send under a name of its own is answered as
if there were nothing.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Final

from fluxlit._types import JsonValue, Scope, Send
from fluxlit.gateway.access_log import StampedSend, shown_path
from fluxlit.gateway.headers import find
from fluxlit.gateway.options import GatewayOptions

REMEMBERED: Final = 32
"""Requests whose way is kept."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost", "unix", ""})
_PROXIED: Final = (b"forwarded", b"x-forwarded", b"x-real-ip", b"via", b"true-client", b"cf-")
"""How the names of headers begin that proxies add."""


class DebugPage:
    """Notes where requests go, and tells it.

    Args:
        options: The gateway's.
    """

    def __init__(self, options: GatewayOptions) -> None:
        self._facts: dict[str, JsonValue] = {
            "fluxlit_debug": True,
            "gateway": {"api_prefix": options.prefix, "root_mount": options.mount},
            "settings": dict(options.debug_facts or {}),
        }
        self._recent: deque[JsonValue] = deque(maxlen=REMEMBERED)

    def note(self, scope: Scope, sent: StampedSend, started: float) -> None:  # noqa: ARG002 - as every note
        """Remember one exchange that was dispatched."""
        if sent.dispatch is not None:
            self._recent.append(
                {
                    "request_id": sent.request_id,
                    "dispatch": sent.dispatch,
                    "path": shown_path(scope),
                    "status": sent.status,
                }
            )

    async def answer(self, send: Send) -> None:
        """Tell everything."""
        told = {**self._facts, "recent_dispatches": list(self._recent)}
        body = json.dumps(told, indent=2).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def is_from_here(scope: Scope) -> bool:
    """Tell whether a request was made on this machine, for this machine, without a proxy.

    >>> scope = {"client": ("127.0.0.1", 5), "headers": [(b"host", b"localhost:8000")]}
    >>> is_from_here(scope), is_from_here({**scope, "client": ("10.0.0.9", 5)})
    (True, False)
    """
    headers = scope["headers"]
    # By default nginx adds no header, puts this machine's name into Host, and speaks HTTP/1.0.
    is_old = scope.get("http_version") == "1.0"
    if is_old or any(name.startswith(_PROXIED) for name, _ in headers):
        return False
    client = scope.get("client")
    host = (find(headers, b"host") or b"").decode("latin-1").lower()
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return (client is None or client[0] in _LOOPBACK) and name in _LOOPBACK
