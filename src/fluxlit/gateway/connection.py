"""One HTTP/1.1 connection to an upstream.

Law: bytes in, bytes out. Request target and header values are written as given, response headers
are handed on as read, bodies are neither decoded nor buffered beyond a fixed mark. Parsing is
httptools' (llhttp); only framing and flow control are done here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

import httptools

from fluxlit.exceptions import UpstreamTimeout, UpstreamUnavailable
from fluxlit.gateway.headers import Headers, find

_HIGH_WATER = 256 * 1024
"""Bytes of a response body that may wait in the gateway before its source is paused."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers; names in lower case."""

    status: int
    headers: Headers


def request_head(method: str, target: bytes, headers: Headers) -> bytes:
    r"""Write a request head.

    Raises:
        ValueError: A part holds a line break, so that it could forge another header.

    Example:
        >>> request_head("GET", b"/a", [(b"host", b"ui")])
        b'GET /a HTTP/1.1\r\nhost: ui\r\n\r\n'
    """
    lines = [b"%b %b HTTP/1.1" % (method.encode("ascii"), target)]
    lines.extend([b"%b: %b" % item for item in headers])
    if any(b"\n" in line or b"\r" in line for line in lines):
        msg = "a request line or header holds a line break"
        raise ValueError(msg)
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection: one exchange at a time, one reader and one writer.

    Whatever ends an exchange early goes through :meth:`fail`, so that reader and writer both
    learn the one reason.
    """

    def __init__(self) -> None:
        self.closed = False
        self.reused = False
        self.untouched = True
        self._transport: asyncio.Transport | None = None
        self._busy = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._write_paused = False
        self._read_paused = False
        self._reset(bodyless=False)

    def _reset(self, *, bodyless: bool) -> None:
        self.untouched = True
        self._parser = httptools.HttpResponseParser(self)
        self._bodyless = bodyless
        self._head: ResponseHead | None = None
        self._headers: Headers = []
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._complete = False
        self._keep_alive = False
        self._sent = True
        self._error: Exception | None = None

    # The exchange, as the relay drives it.

    def begin(self, head: bytes, *, bodyless: bool, has_body: bool = False) -> None:
        """Start an exchange by sending its head.

        Args:
            head: From :func:`request_head`.
            bodyless: Whether the response has no body whatever it states: to HEAD.
            has_body: Whether pieces of a request body follow, up to :meth:`end_body`.
        """
        self._reset(bodyless=bodyless)
        self._busy = True
        self._sent = not has_body
        self.raw_transport.write(head)

    async def write(self, data: bytes, timeout_seconds: float) -> None:
        """Send a piece of the request body and wait until there is room for the next.

        Raises:
            UpstreamTimeout: The upstream took nothing for that long.
            Exception: Whatever ended the exchange.
        """
        self._raise_if_failed()
        if self.closed:
            msg = "the upstream hung up"
            raise UpstreamUnavailable(msg)
        self.raw_transport.write(data)
        if self._write_paused:
            self._writer = asyncio.get_running_loop().create_future()
            await self._wait(self._writer, timeout_seconds, "did not read the request")

    def end_body(self) -> None:
        """Note that the whole request body was sent."""
        self._sent = True

    async def head(self, timeout_seconds: float | None) -> ResponseHead:
        """Wait for the response head.

        Raises:
            UpstreamUnavailable: The upstream hung up, or did not speak HTTP.
            UpstreamTimeout: It did not answer in time.
        """
        while self._head is None:
            await self._more(timeout_seconds)
        return self._head

    @property
    def answered(self) -> bool:
        """Whether the response head is there."""
        return self._head is not None

    @property
    def exhausted(self) -> bool:
        """Whether the whole response has been read."""
        return self._complete and not self._chunks

    async def read(self, timeout_seconds: float) -> bytes:
        """Return what has arrived of the body, at least a byte; nothing at its end.

        Raises:
            UpstreamUnavailable: It broke off.
            UpstreamTimeout: Nothing came in time.
        """
        while not self._chunks:
            if self._complete:
                return b""
            await self._more(timeout_seconds)
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._read_paused and not self.closed:
            self._read_paused = False
            self.raw_transport.resume_reading()
        return data

    def fail(self, error: Exception) -> None:
        """End the exchange with this reason, whoever waits; the connection is lost with it."""
        if self._error is None and not self._complete:
            self._error = error
        self._wake()
        self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> bool:
        """End the exchange; tells whether the connection can serve another.

        Never after an answer that came before the body's end: the peer would read the next
        visitor's request as the rest of that body.
        """
        self._busy = False
        reusable = self._complete and self._keep_alive and self._sent and not self._write_paused
        return reusable and not self.closed and not self.raw_transport.is_closing()

    @property
    def raw_transport(self) -> asyncio.Transport:
        """The transport; there is one from ``connection_made`` on."""
        return cast("asyncio.Transport", self._transport)

    async def _more(self, timeout_seconds: float | None) -> None:
        self._raise_if_failed()
        self._reader = asyncio.get_running_loop().create_future()
        await self._wait(self._reader, timeout_seconds, "did not answer")
        self._raise_if_failed()

    async def _wait(
        self, future: asyncio.Future[None], timeout_seconds: float | None, what: str
    ) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await future
        except TimeoutError:
            msg = f"the upstream {what} within {timeout_seconds:g} s"
            raise UpstreamTimeout(msg) from None

    def _raise_if_failed(self) -> None:
        # A body that arrived before the failure is still handed out first, by read().
        if self._error is not None:
            raise self._error

    def _wake(self) -> None:
        for future in (self._reader, self._writer):
            if future is not None and not future.done():
                future.set_result(None)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        if not self._busy:
            self.abort()  # nobody asked: a late "408", or a peer that is out of step
            return
        self.untouched = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(UpstreamUnavailable(f"the upstream did not speak HTTP: {error!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange: well, if the end of the connection is what ends the body."""
        self.closed = True
        if self._busy and not self._complete:
            if exc is None and self._head is not None and _ends_with_connection(self._head):
                self._complete = True
            elif self._error is None:
                self._error = UpstreamUnavailable("the upstream hung up")
                self._error.__cause__ = exc
        self._write_paused = False
        self._wake()

    def pause_writing(self) -> None:
        """Note that the peer does not keep up."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Let the writer go on."""
        self._write_paused = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # httptools' callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header, or a trailer, which nobody gets to see."""
        if self._head is None:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hand the head over; interim 1xx responses are not for the client."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._head = ResponseHead(status, self._headers)
        if self._bodyless:
            self._finish_message()
        else:
            self._wake()

    def on_body(self, body: bytes) -> None:
        """Queue a piece, and pause the source when the reader is behind."""
        if self._bodyless or self._head is None:
            return
        self._chunks.append(body)
        self._size += len(body)
        if self._size > _HIGH_WATER and not self._read_paused:
            self._read_paused = True
            self.raw_transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        """Note the end of an interim or of the final response."""
        if self._head is None:
            self._headers = []  # an interim 1xx response is over, the real one follows
        elif not self._complete:
            self._finish_message()

    def _finish_message(self) -> None:
        self._complete = True
        self._keep_alive = self._parser.should_keep_alive()
        self._wake()


def _ends_with_connection(head: ResponseHead) -> bool:
    return not any(name in {b"content-length", b"transfer-encoding"} for name, _ in head.headers)


def content_length(headers: Headers) -> int | None:
    """Read ``Content-Length``; ``None`` when there is none or it is not a number."""
    value = find(headers, b"content-length")
    return int(value) if value is not None and value.isdigit() else None
