"""Serves Streamlit's browser side: files and pages, from memory, in the coding the client likes.

What is asked for the first time is read and, where no copy is kept on disk, compressed quickly,
off the loop. From then on an answer is a look-up and two prepared events.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from fluxlit._streamlit.frontend import StreamlitFrontend, find_frontend
from fluxlit._types import Message, Scope, Send
from fluxlit.frontend.cache import CopyCache, CopyMaker, Job
from fluxlit.frontend.coding import Coding
from fluxlit.frontend.negotiation import (
    Conditions,
    Unsatisfiable,
    conditions_of,
    matches,
    part_of,
    preferred_coding,
)
from fluxlit.frontend.options import FrontendOptions
from fluxlit.frontend.page import NoncedPage, PageHead
from fluxlit.frontend.representation import (
    HotSet,
    Kind,
    Representation,
    bodyless,
    partial,
    represent,
    unsatisfiable,
)
from fluxlit.frontend.resources import NONCE, Resource, Resources

logger = logging.getLogger("fluxlit.frontend")

HOT_BYTES: Final = 32 << 20
"""Bound of the bodies in memory. A visit needs 3 MB of them, all of Streamlit's files 26 MB."""

SECOND_LOOK: Final = 30.0
"""Seconds after which a better copy is looked for than the one made for a waiting visitor."""

SETTLING: Final = 5.0
"""Seconds from the start until copies are made: the first visitor and the worker come first."""

_Answer = tuple[Message, Message]


class Frontend:
    """The browser side of one app's UI.

    Args:
        options: Where copies are kept, and what is added to pages.
        heads: The head of each page; see :class:`~fluxlit.frontend.resources.Resources`.
        streamlit: Where Streamlit's files are; by default the installed Streamlit's.
        matches: Tells whether the UI is of the release that the files are of.
    """

    def __init__(
        self,
        options: FrontendOptions,
        heads: Mapping[str, PageHead],
        streamlit: StreamlitFrontend | None = None,
        matches: Callable[[], bool] = lambda: True,
    ) -> None:
        self._options = options
        self._matches = matches
        self._heads = heads
        self._streamlit = streamlit
        self._resources: Resources | None = None
        self._cache = CopyCache(options.cache)
        self._opening: asyncio.Task[None] | None = None
        self._hot = HotSet(HOT_BYTES)
        self._loading: dict[tuple[str, str], asyncio.Task[Representation]] = {}
        self._maker: CopyMaker | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._making: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Have the missing copies made in a while; needs a running loop."""
        self._timer = asyncio.get_running_loop().call_later(SETTLING, self._start_maker)

    def stop(self) -> None:
        """Make no further copies."""
        if self._timer is not None:
            self._timer.cancel()
        if self._making is not None:
            self._making.cancel()
        if self._maker is not None:
            self._maker.stop()

    async def find(self, path: bytes) -> Resource | None:
        """Find what a path names; None for what the UI worker is to answer.

        Args:
            path: The raw path below the UI's root, with its leading slash.
        """
        if not self._matches():
            return None
        if self._resources is None:
            await self._opened()
        return None if self._resources is None else self._resources.find(path)

    async def send(self, resource: Resource, scope: Scope, send: Send) -> bool:
        """Answer a GET or HEAD; return whether that could be done.

        A file that cannot be read any more is left to the UI worker.
        """
        conditions = conditions_of(scope["headers"])
        try:
            start, body = await self._answer(resource, scope["method"], conditions)
        except OSError as exc:
            logger.warning("cannot read %s: %s", resource.name, exc)
            return False
        if scope["method"] == "HEAD":
            start, body = bodyless(start)
        await send(start)
        await send(body)
        return True

    async def _answer(self, resource: Resource, method: str, conditions: Conditions) -> _Answer:
        if resource.nonced is not None:
            return self._fresh_page(resource.kind, resource.nonced, conditions)
        if conditions.range and method == "GET":
            answer = await self._part(resource, conditions)
            if answer is not None:
                return answer
        coding = preferred_coding(conditions.accept_encoding) if resource.kind.varies else None
        representation = await self._representation(resource, coding)
        if conditions.if_none_match and matches(conditions.if_none_match, representation.etag):
            return bodyless(representation.unchanged)
        return representation.start, representation.whole

    async def _part(self, resource: Resource, conditions: Conditions) -> _Answer | None:
        """Answer a ``Range`` of the content as it is; None where all of it is to be sent."""
        representation = await self._representation(resource, None)
        if conditions.if_none_match and matches(conditions.if_none_match, representation.etag):
            return bodyless(representation.unchanged)
        if conditions.if_range and conditions.if_range != representation.etag:
            return None
        part = part_of(conditions.range, len(representation.body))
        if isinstance(part, Unsatisfiable):
            return unsatisfiable(representation)
        return None if part is None else partial(representation, resource.kind, part)

    def _fresh_page(self, kind: Kind, page: NoncedPage, conditions: Conditions) -> _Answer:
        """Render a page with a nonce of its own; there is nothing of it to keep or to compare."""
        nonce = secrets.token_urlsafe(16)
        policy = self._options.policy.replace(NONCE, nonce)
        more = ((b"content-security-policy", policy.encode("latin-1")),)
        coding = preferred_coding(conditions.accept_encoding)
        body = page.render(nonce).encode("utf-8", "replace")
        if coding is not None:
            body = coding.quick(body)
        fresh = Kind(kind.content_type, b"no-store", kind.varies, more)
        representation = represent(body, fresh, coding)
        return representation.start, representation.whole

    async def _representation(self, resource: Resource, coding: Coding | None) -> Representation:
        key = (resource.name, coding.name if coding else "")
        found = self._hot.get(key)
        if found is not None and found.expires > time.monotonic():
            return found
        task = self._loading.get(key)
        if task is None:  # shielded: a visitor who leaves must not take it from the others
            task = asyncio.create_task(asyncio.to_thread(self._load, resource, coding))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        return await asyncio.shield(task)

    def _loaded(self, key: tuple[str, str], task: asyncio.Task[Representation]) -> None:
        del self._loading[key]
        if not task.cancelled() and task.exception() is None:
            self._hot.put(key, task.result())

    def _load(self, resource: Resource, coding: Coding | None) -> Representation:
        """Read and compress; in a thread."""
        content = resource.read()
        if coding is None:
            return represent(content, resource.kind)
        expires = math.inf
        if resource.file is None:
            copy = coding.thorough(content)
        else:
            kept = self._cache.read(Job(resource.file, coding), content)
            copy = kept or coding.quick(content)
            expires = math.inf if kept else time.monotonic() + SECOND_LOOK
        if len(copy) >= len(content):
            return represent(content, resource.kind)
        return represent(copy, resource.kind, coding, expires=expires)

    async def _opened(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(asyncio.to_thread(self._open))
        await asyncio.shield(self._opening)

    def _open(self) -> None:
        """List what there is; in a thread. Without Streamlit's files the UI worker has them."""
        try:
            streamlit = self._streamlit or find_frontend()
            if streamlit is None:
                return
            resources = Resources(streamlit, self._options, self._heads)
        except (OSError, UnicodeError, ImportError) as exc:
            logger.warning("the UI worker serves Streamlit's files: %s", exc)
            return
        self._cache = CopyCache.of(self._options.cache, streamlit, resources.files)
        self._resources = resources

    def _start_maker(self) -> None:
        self._making = asyncio.create_task(self._make_copies())

    async def _make_copies(self) -> None:
        await self._opened()
        if self._resources is not None:
            self._maker = CopyMaker(self._cache, self._resources.files)
            self._maker.start()
