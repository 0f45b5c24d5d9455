"""Every header name that the gateway decides about, once, in sets by purpose.

All names are lower-case bytes, as ASGI carries them.
"""

from __future__ import annotations

REQUEST_ID = b"x-request-id"

OURS = b"x-fluxlit-"
"""Beginning of the names that only a gateway may say to a UI worker; a client's are dropped."""

HANDED_OVER = OURS + b"handed-over"
"""Marks a WebSocket that a gateway has handed over; the value is a cookie to answer it with, or
nothing."""

KEY = OURS + b"key"
"""Opens a UI worker's port, or the private one of the API (see ``workers/guard.py``)."""

STREAMLIT = OURS + b"streamlit"
"""Streamlit's version, said by a UI worker that answers for its health."""

SOCKETS = OURS + b"sockets"
"""How many WebSockets it has open, said in the same place."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Valid for one connection only, never forwarded (RFC 9110 section 7.6.1).

The names that a ``Connection`` header lists join them, message by message.
"""

FORWARDED = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-original-uri",
        b"x-original-url",
        b"x-real-ip",
        b"x-rewrite-url",
        b"x-script-name",
    }
)
"""Who asked, for what, through whom: dropped from the client and built anew by the gateway."""

IDENTITY = frozenset(
    {
        b"cf-access-authenticated-user-email",
        b"cf-access-jwt-assertion",
        b"remote-email",
        b"remote-groups",
        b"remote-name",
        b"remote-user",
        b"x-auth-request-access-token",
        b"x-auth-request-email",
        b"x-auth-request-groups",
        b"x-auth-request-preferred-username",
        b"x-auth-request-user",
        b"x-authenticated-user",
        b"x-remote-email",
        b"x-remote-groups",
        b"x-remote-user",
        b"x-webauth-user",
    }
)
"""Names by which well-known login proxies state who the user is.

A page may trust them, so they pass to the UI only from a proxy that is itself trusted.
"""

IDENTITY_PREFIXES = (
    b"ssl-client-",
    b"tailscale-user-",
    b"x-amzn-oidc-",
    b"x-authentik-",
    b"x-client-cert",
    b"x-forwarded-",
    b"x-goog-authenticated-user-",
    b"x-goog-iap-",
    b"x-ms-client-principal",
    b"x-ms-token-",
    b"x-pomerium-",
    b"x-ssl-client-",
)
"""Beginnings of such names, for proxies that use many, or that state a client's certificate."""

WEBSOCKET_HANDSHAKE = frozenset(
    {
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
    }
)
"""Made anew for each hop of a relayed WebSocket (RFC 6455 section 4.1)."""

SERVER_OWN = frozenset({b"date", b"server"})
"""Response headers that the gateway's own server writes; an upstream's copies would double them."""
