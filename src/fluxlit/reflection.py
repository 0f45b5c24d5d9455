"""How the service sees a request, by which ``fluxlit doctor --live`` judges the proxies between.

It says what a visitor knows already, and kinds of address instead of addresses: who is in front of
a service is nobody's business.
"""

from __future__ import annotations

import time
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse

from fluxlit._types import JsonValue

REFLECTION_PATH = "/healthz/request"


async def reflect(request: Request) -> JSONResponse:
    """Answer ``GET healthz/request``."""
    client = (request.client.host, request.client.port) if request.client else None
    forwarded = request.headers.getlist("x-forwarded-for")
    return JSONResponse(
        {
            "scheme": request.url.scheme,
            "host": request.headers.get("host", ""),
            "root_path": request.scope.get("root_path", ""),
            "client": kind_of(client[0] if client else None),
            "forwarded": forwarding(client, ",".join(forwarded)),
            "time": time.time(),
        },
        headers={"cache-control": "no-store"},
    )


def kind_of(host: str | None) -> str:
    """Return what kind of address a client has.

    >>> kind_of("127.0.0.1"), kind_of("10.1.2.3"), kind_of("8.8.8.8"), kind_of(None), kind_of("x")
    ('loopback', 'private', 'public', 'socket', 'unknown')
    """
    if not host:
        return "socket"
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if address.is_loopback:
        return "loopback"
    return "public" if address.is_global else "private"


def forwarding(client: tuple[str, int] | None, forwarded_for: str) -> JsonValue:
    """Tell whether a proxy names the visitor, and whether it is believed.

    A believed visitor stands in ``X-Forwarded-For``, without the port that a peer would have.

    >>> forwarding(("10.1.2.3", 0), "10.1.2.3")
    {'named': True, 'believed': True}
    >>> forwarding(("127.0.0.1", 40000), "127.0.0.1"), forwarding(("127.0.0.1", 40000), "")
    ({'named': True, 'believed': False}, {'named': False, 'believed': False})
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    host, port = client or ("", 0)
    spelt = {host, f"[{host}]"} if port == 0 else {f"{host}:{port}", f"[{host}]:{port}"}
    return {"named": bool(hops), "believed": bool(host) and not spelt.isdisjoint(hops)}
