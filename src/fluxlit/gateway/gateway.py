"""The gateway: one ASGI app that decides who answers, and hands over.

The API's way is the short one: no proxy, no copy of a body, one small object a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fluxlit._headers import REQUEST_ID
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.gateway import access_log
from fluxlit.gateway.access_log import AccessLog, StampedSend, shown_path, stamped_send
from fluxlit.gateway.debug_page import DebugPage, is_from_here
from fluxlit.gateway.forwarded import TrustedProxies
from fluxlit.gateway.headers import Headers, find
from fluxlit.gateway.observe import Metrics
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.page_addresses import PageAddresses
from fluxlit.gateway.responses import NOT_FOUND, send_answer, send_redirect
from fluxlit.gateway.routing import Route, RouteKind, Router, raw, target_of
from fluxlit.gateway.upstream import Upstreams
from fluxlit.health import Probe
from fluxlit.logging import is_well_formed, new_request_id, request_id_ctx
from fluxlit.tracing import GATEWAY_REQUEST, has_trace_hook, trace_span

if TYPE_CHECKING:
    from fluxlit.frontend import Frontend
    from fluxlit.gateway.ui import UserInterface


_SERVED = frozenset({"http", "websocket"})
_INTERNAL = "fluxlit.internal"
_NO_SPAN = nullcontext()


class Gateway:
    """Decides for HTTP and WebSocket scopes: the API in process, or the UI.

    Args:
        api: The API; called as a server would call it, with ``root_path`` set to where it lives.
        options: Paths, policies and limits.
        upstreams: Knows the UI workers.
        frontend: Serves the UI's own files and pages; without it the UI workers do.
        metrics: Counts what is served, and tells it at ``options.metrics_path``; None does not.

    Raises:
        ValueError: An entry of ``trusted_proxies`` is not an address.
    """

    def __init__(
        self,
        api: ASGIApp,
        options: GatewayOptions,
        upstreams: Upstreams,
        frontend: Frontend | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._api = api
        self._router = Router(options)
        self._mount = raw(options.mount)
        self._mount_path = unquote(options.mount)
        self._root_path = self._mount_path + unquote(options.prefix)
        self._docs_base = self._mount + raw(options.prefix)
        self._internal_socket = options.internal_socket
        self._metrics = metrics
        self._debug = None if options.debug_facts is None else DebugPage(options)
        noting = [*_logs(options), self._metrics, self._debug]
        self._notes = tuple(it.note for it in noting if it is not None)
        proxies = options.trusted_proxies
        self._proxies = TrustedProxies(proxies) if proxies else None
        # FastAPI puts its own root_path into the scope and then strips that from the path.
        self._api_has_root_path = bool(getattr(api, "root_path", ""))
        is_plain = bool(options.prefix) and not self._api_has_root_path
        self._plain_api = (self._docs_base + b"/",) if is_plain else ()
        is_watched = self._notes or self._proxies
        self._straight_api = () if is_watched else self._plain_api
        self._pages = PageAddresses(options.page_paths, raw(options.ui_path))
        self._frontend = frontend
        self._ui = _user_interface(options, upstreams, frontend)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one HTTP exchange or WebSocket."""
        raw_path = scope.get("raw_path") or b""
        is_straight = raw_path.startswith(self._straight_api) and scope["type"] == "http"
        if is_straight and not has_trace_hook():
            return self._straight(scope, receive, send)
        return self._serve(scope, receive, send)

    def _straight(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the API where nothing is to be decided or watched: no coroutine, no copy of a scope.

        The scope was made for this request, and the context, too: servers run each in a task.
        """
        headers = scope["headers"]
        given = find(headers, REQUEST_ID)
        accepted = None if given is None else _accepted(given)
        request_id = accepted or new_request_id()
        request_id_ctx.set(request_id)
        stamp = (REQUEST_ID, request_id.encode("latin-1"))
        if accepted is None:
            scope["headers"] = _identified(headers, given, stamp)
        scope["root_path"] = self._root_path
        return self._api(scope, receive, stamped_send(send, stamp, scope.get("http_version", "")))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _SERVED:
            msg = f"the gateway serves http and websocket scopes, not {scope['type']!r}"
            raise RuntimeError(msg)
        given = find(scope["headers"], REQUEST_ID)
        accepted = None if given is None else _accepted(given)
        http_version = scope.get("http_version", "") if scope["type"] == "http" else ""
        sent = StampedSend(send, accepted or new_request_id(), http_version)
        started = perf_counter() if self._notes else 0.0
        token = request_id_ctx.set(sent.request_id)
        try:
            trusted = False
            if self._proxies is not None:
                scope, trusted = self._proxies.apply(scope)
            raw_path = scope.get("raw_path") or raw(scope["path"])
            if raw_path.startswith(self._plain_api):
                # What the router would say too: the way of nearly every request of an API.
                api_scope: Scope = {**scope, "root_path": self._root_path}
            else:
                route = self._router.route(scope.get("method", ""), raw_path)
                if route.kind is not RouteKind.API:
                    await self._elsewhere(scope, route, receive, sent, trusted=trusted)
                    return
                api_scope = self._api_scope(scope, route)
            if accepted is None:
                api_scope["headers"] = _identified(scope["headers"], given, sent.stamp)
            with _span("api", scope, sent):
                await self._api(api_scope, receive, sent)
        finally:
            request_id_ctx.reset(token)
            for note in self._notes:
                note(scope, sent, started)

    async def internal(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the API only: an ASGI app for a server that listens on a private socket."""
        await self({**scope, _INTERNAL: True}, receive, send)

    async def startup(self) -> None:
        """Get ready to serve. Connections are made when they are needed, so nothing waits here."""
        if self._frontend is not None:
            self._frontend.start()

    async def aclose(self) -> None:
        """Drop idle connections to the upstreams."""
        self._ui.close()
        if self._frontend is not None:
            self._frontend.stop()

    async def probe(self, timeout_seconds: float = 2.0) -> Sequence[Probe]:
        """Ask every UI worker whether it is ready."""
        return await self._ui.probe(timeout_seconds)

    async def _elsewhere(
        self, scope: Scope, route: Route, receive: Receive, sent: StampedSend, *, trusted: bool
    ) -> None:
        sent.dispatch = None
        if self._is_hidden(scope, route):
            await send_answer(scope, sent, NOT_FOUND, sent.request_id)
        elif route.kind is RouteKind.REDIRECT:
            location = self._docs_base + route.rest.rstrip(b"/")
            await send_redirect(sent, target_of(location, scope.get("query_string", b"")))
        elif route.kind is RouteKind.METRICS and self._metrics is not None:
            await self._metrics.answer(scope, sent)
        elif route.kind is RouteKind.DEBUG and self._debug is not None:
            await self._debug.answer(sent)
        elif (address := self._page_address(scope, route)) is not None:
            await send_redirect(sent, self._mount + address)
        else:
            sent.dispatch = "streamlit"
            with _span("streamlit", scope, sent):
                await self._ui(scope, route.rest, receive, sent, trusted=trusted)

    def _is_hidden(self, scope: Scope, route: Route) -> bool:
        """Tell whether there is nothing to be found, for whoever asks."""
        if route.kind is RouteKind.NOT_FOUND or self.is_internal(scope):
            return True
        return route.kind is RouteKind.DEBUG and (self._debug is None or not is_from_here(scope))

    def _page_address(self, scope: Scope, route: Route) -> bytes | None:
        if scope.get("method") not in {"GET", "HEAD"}:
            return None
        return self._pages.address_of(route.rest, scope.get("query_string", b""))

    def _api_scope(self, scope: Scope, route: Route) -> Scope:
        """Copy a scope for the API, telling it where it lives.

        The server has decoded the path already; only what a proxy stripped is put back.
        """
        scope = dict(scope)
        if not route.mounted:
            scope["path"] = self._mount_path + scope["path"]
            scope["raw_path"] = self._mount + route.rest
        if self._api_has_root_path:
            scope["path"] = scope["path"][len(self._root_path) :]
            scope["raw_path"] = route.rest[len(self._docs_base) - len(self._mount) :]
        else:
            scope["root_path"] = self._root_path
        return scope

    def is_internal(self, scope: Scope) -> bool:
        """Tell whether a request came in by the private socket."""
        if _INTERNAL in scope:
            return True
        # For a Unix socket, Uvicorn names the path it was bound under, and no port.
        server = scope.get("server")
        if not self._internal_socket or server is None or server[1] is not None:
            return False
        return str(server[0]).startswith(self._internal_socket)


def _user_interface(
    options: GatewayOptions, upstreams: Upstreams, frontend: Frontend | None
) -> UserInterface:
    # Here, not above: the relays bring a WebSocket library, which an importer of the package
    # that serves nothing should not pay for.
    from fluxlit.gateway.ui import UserInterface  # noqa: PLC0415

    return UserInterface(options, upstreams, frontend)


def _logs(options: GatewayOptions) -> Iterator[AccessLog]:
    keys = options.secret_query_keys
    if options.access_log:
        yield AccessLog(access_log.logger, keys)
    if options.request_log:
        yield AccessLog(access_log.api_logger, keys, api_only=True)


def _span(dispatch: str, scope: Scope, sent: StampedSend) -> AbstractContextManager[object]:
    """Return what surrounds the answer to one request."""
    if not has_trace_hook():
        return _NO_SPAN
    attributes = {
        "fluxlit.dispatch": dispatch,
        "http.method_or_type": scope.get("method", "WEBSOCKET"),
        "url.path": shown_path(scope),
        "request_id": sent.request_id,
    }
    return trace_span(GATEWAY_REQUEST, attributes)


def _identified(headers: Headers, given: bytes | None, stamp: tuple[bytes, bytes]) -> Headers:
    if given is not None:  # it was malformed
        headers = [item for item in headers if item[0] != REQUEST_ID]
    return [*headers, stamp]


def _accepted(given: bytes) -> str | None:
    value = given.decode("latin-1")
    return value if is_well_formed(value) else None
