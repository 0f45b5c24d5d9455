"""A UI on other machines: some URLs, and whether each of them is well.

Nobody keeps these alive for us, so every gateway worker asks each of them how it is, again and
again. One that does not answer gets no visitors until it does. A visitor's cookie names it as it
names a UI worker: the slot is its place in the list, and the generation, which stands for the life
of a worker, is made of its URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fluxlit._headers import KEY, SOCKETS, STREAMLIT
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import UpstreamError, UpstreamTimeout
from fluxlit.gateway.asking import HEALTH, ask_health, reason_of, unwell
from fluxlit.gateway.headers import Headers, find
from fluxlit.gateway.routing import raw
from fluxlit.gateway.upstream import Member, Upstream

_LOG: Final = logging.getLogger("fluxlit.gateway")

ANSWER_WITHIN: Final = 2.0
"""Seconds that an upstream has to say that it is well."""


PATIENCE: Final = 3
"""Questions in a row that one leaves unanswered before its visitors are sent elsewhere, where their
sessions are not: it may be busy. New visitors do not come after the first."""


class RemoteUpstream:
    """One URL.

    Args:
        upstream: How it is reached.
        slot: Its place in the list.
    """

    def __init__(self, upstream: Upstream, slot: int) -> None:
        self.upstream = upstream
        self._slot = slot
        digest = blake2b(upstream.url.encode(), digest_size=4).digest()
        self._generation = int.from_bytes(digest, "big")
        self._detail = "it was not asked yet"
        self._load = 0
        self._missed = 0
        self.streamlit = ""

    @property
    def is_well(self) -> bool:
        """Whether it can be sent to, as far as is known."""
        return not self._detail

    def member(self) -> Member:
        """Return it as the gateway chooses by."""
        return Member(
            self.upstream,
            slot=self._slot,
            generation=self._generation,
            load=self._load,
            serves=self.is_well,
            welcomes=self.is_well and not self._missed,
            detail=self._detail,
        )

    async def ask(self, target: bytes, timeout_seconds: float) -> None:
        """Ask how it is; what has changed is logged."""
        try:
            head = await ask_health(self.upstream, target, timeout_seconds)
        except UpstreamError as error:
            self._missed += 1
            if isinstance(error, UpstreamTimeout) and self.is_well and self._missed < PATIENCE:
                return
            detail, headers = reason_of(error, self.upstream.name), Headers()
        except UnicodeError:  # of a name that no host can have
            detail, headers = "cannot be reached", Headers()
        else:
            self._missed = 0
            detail, headers = unwell(head.status), head.headers
        self._load = _number(find(headers, SOCKETS))
        self.streamlit = (find(headers, STREAMLIT) or b"").decode("latin-1")
        if detail != self._detail:
            self._detail = detail
            name, url = self.upstream.name, self.upstream.url
            level = logging.WARNING if detail else logging.INFO
            _LOG.log(level, "%s, %s: %s", name, url, detail or "it is well")


class RemoteUpstreams:
    """All of them.

    Args:
        urls: Scheme, host and port of each.
        target: Where each tells of its health.
        key: The header that opens them; None for those that are open.
        interval: Seconds between two looks.
    """

    def __init__(
        self,
        urls: Iterable[str],
        target: bytes,
        key: tuple[bytes, bytes] | None = None,
        interval: float = 2.0,
    ) -> None:
        headers = () if key is None else (key,)
        self._all = [
            RemoteUpstream(Upstream(f"ui-{slot}", url=url, headers=headers, managed=False), slot)
            for slot, url in enumerate(dict.fromkeys(urls))
        ]
        self._target = target
        self._interval = interval
        self._own = _installed_streamlit()

    @classmethod
    def of(cls, settings: FluxlitSettings) -> RemoteUpstreams:
        """Take the URLs from an app's settings."""
        key = settings.upstream_key().encode("ascii")
        return cls(
            (origin_of(url) for url in settings.streamlit_upstream),
            raw(settings.public_mount_path() + settings.ui_base()) + HEALTH,
            (KEY, key) if key else None,
            settings.streamlit_upstream_check_interval_s,
        )

    def members(self) -> Sequence[Member]:
        """Return all, those that are not well too."""
        return [one.member() for one in self._all]

    @property
    def have_our_frontend(self) -> bool:
        """Whether those that are well are of the Streamlit whose files this process has.

        A page of one release does not work with the server of another. Only ``fluxlit ui`` says
        which it has; ``streamlit run`` sends its own.
        """
        well = [one for one in self._all if one.is_well]
        return bool(well) and all(one.streamlit == self._own for one in well)

    @contextlib.asynccontextmanager
    async def watched(self, _: object = None) -> AsyncIterator[None]:
        """Ask once, then again and again for as long as the block lasts."""
        await self._ask_all()
        asking = asyncio.create_task(self._ask_on())
        try:
            yield
        finally:
            asking.cancel()

    async def _ask_on(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._ask_all()

    async def _ask_all(self) -> None:
        await asyncio.gather(*(one.ask(self._target, ANSWER_WITHIN) for one in self._all))


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL.

    >>> origin_of(" http://10.0.0.5:8501/desk ")
    'http://10.0.0.5:8501'
    """
    scheme, _, rest = url.strip().partition("://")
    return f"{scheme.lower()}://{rest.partition('/')[0]}"


def _number(value: bytes | None) -> int:
    return int(value) if value is not None and value.isdigit() else 0


def _installed_streamlit() -> str:
    try:
        return version("streamlit")
    except PackageNotFoundError:
        return "none"
