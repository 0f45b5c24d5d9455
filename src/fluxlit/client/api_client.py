"""The client that pages call the API with."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, ParamSpec, Self, TypeVar, Unpack, overload

import httpx2
from pydantic import TypeAdapter

from fluxlit.client.calls import Operations
from fluxlit.client.connections import SharedTransport
from fluxlit.client.endpoint import Endpoint
from fluxlit.client.errors import unavailable
from fluxlit.client.options import (
    ClientOptions,
    HeaderFactory,
    Headers,
    RequestOptions,
    SendOptions,
    Timeout,
)
from fluxlit.client.slots import jsonable
from fluxlit.exceptions import CallError
from fluxlit.logging import REQUEST_ID_HEADER, get_request_id

P = ParamSpec("P")
T = TypeVar("T")


class ApiClient:
    """Calls the app's API; paths are relative to it: ``client.get("/users")``.

    Make one for each user, not one for all: it keeps the cookies that the API sets. It blocks,
    as pages do, so an ``async`` API handler must not call its own API with it.

    Args:
        base_url: URL of the API; default: ``FLUXLIT_INTERNAL_API_BASE`` (and the Unix socket that
            ``FLUXLIT_INTERNAL_API_SOCKET`` names), else ``http://127.0.0.1:8000/api``.
        timeout: Seconds to wait for a connection, and for each part of the answer.
        default_headers: Sent with every request.
        auth_header_factory: Called for every request; its headers come after the default ones.
        propagate_request_id: Send the id of the request being served as ``X-Request-ID``.
        transport: Sends the requests in place of the process's connections; for tests.
        environ: Read in place of ``os.environ``, once, here.
        operations: The API's functions, for :meth:`call`; an app's client has them.

    Raises:
        ConfigurationError: The base URL is not an http or https URL.

    Example:
        >>> def answer(request: httpx2.Request) -> httpx2.Response:
        ...     return httpx2.Response(200, json=[{"name": "Ada"}])
        >>> ApiClient(transport=httpx2.MockTransport(answer)).get("/users").json()
        [{'name': 'Ada'}]
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that can be set
        self,
        base_url: str | None = None,
        *,
        timeout: Timeout = 30.0,
        default_headers: Headers | None = None,
        auth_header_factory: HeaderFactory | None = None,
        propagate_request_id: bool = True,
        transport: httpx2.BaseTransport | None = None,
        environ: Mapping[str, str] | None = None,
        operations: Operations | None = None,
    ) -> None:
        self._endpoint = Endpoint.choose(base_url, os.environ if environ is None else environ)
        self._timeout = timeout
        self._default_headers = dict(default_headers or {})
        self._auth_header_factory = auth_header_factory
        self._propagate_request_id = propagate_request_id
        self._transport = transport
        self._operations = operations
        self._http: httpx2.Client | None = None

    @classmethod
    def for_fluxlit(
        cls,
        *,
        bearer_token: str | None = None,
        auth_header_factory: HeaderFactory | None = None,
        base_url: str | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """Make a client with a token or with a factory of headers; the rest as the constructor.

        Raises:
            TypeError: Both were given.
        """
        if bearer_token is not None and auth_header_factory is not None:
            msg = "pass only one of bearer_token and auth_header_factory"
            raise TypeError(msg)
        client = cls(base_url, auth_header_factory=auth_header_factory, **options)
        return client if bearer_token is None else client.with_bearer(bearer_token)

    def with_bearer(self, bearer_token: str) -> Self:
        """Return a client like this one that also sends ``Authorization: Bearer ...``.

        Raises:
            ValueError: The token is empty or cannot stand in a header.
        """
        if not re.fullmatch(r"[!-~]+", bearer_token):
            msg = "the bearer token is empty or has characters that no header can carry"
            raise ValueError(msg)
        parent = self._auth_header_factory
        twin = copy.copy(self)
        twin._http = None  # noqa: SLF001 - cookies stay with the client that got them
        twin._auth_header_factory = lambda: {  # noqa: SLF001 - the same class
            **(parent() if parent else {}),
            "Authorization": f"Bearer {bearer_token}",
        }
        return twin

    def request(self, method: str, path: str, **options: Unpack[SendOptions]) -> httpx2.Response:
        """Send a request and return the answer, whatever its status.

        Args:
            method: The HTTP method.
            path: A path relative to the API; it may carry a query. A path that begins with the
                API's own prefix is refused, since it is nearly always a mistake; where the API
                really has such a route, write ``/./api/...``.
            options: As in httpx2; see :class:`SendOptions`. ``json`` may be or hold models, dates
                and whatever else pydantic can write, under the names by which an API reads it.

        Raises:
            ValueError: *path* is not relative to the API, or leads out of it.
            ApiUnavailableError: The API could not be reached.
            ApiTimeoutError: It did not answer in time.
        """
        url = self._endpoint.url(path)
        options["headers"] = self._headers(options.get("headers"))
        if "json" in options:
            options["json"] = jsonable(options["json"])
        try:
            return self._client().request(method, url, **options)
        except httpx2.LocalProtocolError:
            # Its text may hold the header that was refused, and so a token.
            msg = f"{method} {url.path} cannot be sent: a header is malformed"
            raise ValueError(msg) from None
        except httpx2.TransportError as exc:
            raise unavailable(exc, self._endpoint) from exc

    @overload
    def get(self, path: str, **options: Unpack[RequestOptions]) -> httpx2.Response: ...
    @overload
    def get(self, path: str, *, model: type[T], **options: Unpack[RequestOptions]) -> T: ...
    @overload
    def get(self, path: str, *, model: Any, **options: Unpack[RequestOptions]) -> Any: ...
    def get(self, path: str, *, model: Any = None, **options: Unpack[RequestOptions]) -> Any:
        """Send GET; with *model*, as :meth:`get_model` does."""
        answer = self.request("GET", path, **options)
        return answer if model is None else _validated(answer, model)

    @overload
    def post(self, path: str, **options: Unpack[SendOptions]) -> httpx2.Response: ...
    @overload
    def post(self, path: str, *, model: type[T], **options: Unpack[SendOptions]) -> T: ...
    @overload
    def post(self, path: str, *, model: Any, **options: Unpack[SendOptions]) -> Any: ...
    def post(self, path: str, *, model: Any = None, **options: Unpack[SendOptions]) -> Any:
        """Send POST; with *model*, the answer is validated as :meth:`post_model` does."""
        answer = self.request("POST", path, **options)
        return answer if model is None else _validated(answer, model)

    def put(self, path: str, **options: Unpack[SendOptions]) -> httpx2.Response:
        """Send PUT."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[SendOptions]) -> httpx2.Response:
        """Send PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RequestOptions]) -> httpx2.Response:
        """Send DELETE."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Unpack[RequestOptions]) -> httpx2.Response:
        """Send HEAD."""
        return self.request("HEAD", path, **options)

    @overload
    def get_model(self, path: str, model: type[T], **options: Unpack[RequestOptions]) -> T: ...
    @overload
    def get_model(self, path: str, model: Any, **options: Unpack[RequestOptions]) -> Any: ...
    def get_model(self, path: str, model: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send GET and return the answer as *model*: any type pydantic knows, ``list[User]`` too.

        Raises:
            ApiError: The status is no success.
            pydantic.ValidationError: The body is not such a value.
        """
        return _validated(self.request("GET", path, **options), model)

    @overload
    def post_model(
        self,
        path: str,
        response_model: type[T],
        *,
        body: object = ...,
        **options: Unpack[SendOptions],
    ) -> T: ...
    @overload
    def post_model(
        self, path: str, response_model: Any, *, body: object = ..., **options: Unpack[SendOptions]
    ) -> Any: ...
    def post_model(
        self, path: str, response_model: Any, *, body: object = None, **options: Unpack[SendOptions]
    ) -> Any:
        """Send POST with *body*, a model or plain values, and return the answer as a model.

        Raises:
            TypeError: Both *body* and another body were given.
            ApiError: The status is no success.
            pydantic.ValidationError: The answer's body is not such a value.
        """
        if body is not None:
            if {"json", "content", "data", "files"} & options.keys():
                msg = "Pass only one of body or json (or content, data, files)"
                raise TypeError(msg)
            options["json"] = body
        return _validated(self.request("POST", path, **options), response_model)

    @overload
    def call(
        self, endpoint: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    def call(self, endpoint: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    def call(self, endpoint: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of the API through its route, and return what it is annotated with.

        Args:
            endpoint: The function under ``@app.api.get(...)``, plain or ``async``.
            args: Its arguments; dependencies are the API's own business and are left out. (For a
                type checker they need a default; see :data:`fluxlit.client.injected`.)
            kwargs: Its arguments by name.

        Raises:
            CallError: The function serves no route of the app's API.
            TypeError: The arguments do not fit the function.
            ApiError: The status is no success; a class of its own for the usual ones, such as
                :class:`~fluxlit.client.ApiNotFoundError`.
            pydantic.ValidationError: The answer is not what the function is annotated with.

        Example:
            >>> @app.api.get("/users/{user_id}")
            ... def get_user(user_id: int) -> User: ...
            >>> client.call(get_user, user_id=3).name
            'Ada'
        """
        if self._operations is None:
            msg = "this client knows no functions of the API"
            raise CallError(msg, remedy="use the client that a page gets, or app.get_client()")
        operation = self._operations.of(endpoint)
        ready = operation.prepare(args, kwargs)
        answer = self.request(ready.method, ready.path, **ready.options).raise_for_status()
        if operation.answer is None or not answer.content:
            return None
        return operation.answer.validate_json(answer.content)

    def close(self) -> None:
        """Drop this client's cookies; the process's connections stay, and so does the client."""
        self._http = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._endpoint}>"

    def _client(self) -> httpx2.Client:
        if self._http is None:
            self._http = httpx2.Client(
                transport=SharedTransport(self._endpoint.socket, self._transport),
                timeout=self._timeout,
                trust_env=False,  # no proxy named in the environment may see internal calls
            )
        return self._http

    def _headers(self, given: Headers | None) -> Headers:
        request_id = get_request_id() if self._propagate_request_id else None
        stamp = {REQUEST_ID_HEADER: request_id} if request_id else {}
        factory = self._auth_header_factory
        if not (given or factory or self._default_headers):
            return stamp  # the way of most requests
        headers = httpx2.Headers(stamp)
        for more in (self._default_headers, factory() if factory else None, given):
            headers.update(more)
        return headers


@lru_cache(maxsize=128)
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _validated(response: httpx2.Response, model: Any) -> Any:
    return _adapter(model).validate_json(response.raise_for_status().content)
