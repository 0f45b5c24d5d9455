"""The public keys of an issuer, fetched from its address and kept for a while.

A token may name a key that is not known yet, since issuers change keys; but whoever sends tokens
also chooses the name. So there is at most one fetch at a time, and one every ten seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from fluxlit._credentials import without_password
from fluxlit.auth.fetching import fetch_json
from fluxlit.exceptions import KeysUnavailable

_LOG: Final = logging.getLogger("fluxlit.auth")

FRESH: Final = 600.0
"""Seconds after which keys are fetched again."""

USABLE: Final = 3600.0
"""Seconds for which keys are used while they cannot be fetched again."""

PAUSE: Final = 10.0
"""Seconds between two fetches, whatever the first one brought."""

MOST_WAITING: Final = 8
"""Threads that wait for a fetch; more are told at once that there are no keys."""


class RemoteKeys:
    """The keys at one address.

    Args:
        url: Address of the JSON Web Key Set (RFC 7517 section 5).
        timeout_seconds: For connecting, for each part of the answer, and for the whole.
        transport: In place of the network; for tests.
        clock: Monotonic seconds.

    Attributes:
        waiting: Threads that fetch, or wait for the one that does.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 5.0,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._timeout = timeout_seconds
        self._transport = transport
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched = self._tried = float("-inf")
        self._fetching = threading.Lock()
        self.waiting = 0
        self._counting = threading.Lock()

    def at_hand(self) -> KeySet | None:
        """Return the keys if they are fresh; this never waits."""
        now = self._clock()
        is_fresh = now - self._fetched < FRESH
        may_not_ask = now - self._tried < PAUSE or self._fetching.locked()
        return self._keys if is_fresh or (may_not_ask and self._is_usable(now)) else None

    def fetch(self, seen: KeySet | None) -> KeySet:
        """Return newer keys than those that did not do, or the same if it is too early to ask.

        Args:
            seen: What did not do; None if there was nothing.

        Raises:
            KeysUnavailable: There are none, and the address does not give any.
        """
        with self._counting:
            if self.waiting >= MOST_WAITING:
                msg = f"too many wait for the keys at {self._shown()}"
                raise KeysUnavailable(msg)
            self.waiting += 1
        try:
            with self._fetching:
                return self._renewed(seen)
        finally:
            with self._counting:
                self.waiting -= 1

    def _renewed(self, seen: KeySet | None) -> KeySet:
        now = self._clock()
        is_new = self._keys is not None and self._keys is not seen and now - self._fetched < FRESH
        failure: Exception | None = None
        if not is_new and now - self._tried >= PAUSE:
            try:
                self._keys = parse_keys(
                    fetch_json(self._url, timeout_seconds=self._timeout, transport=self._transport)
                )
                self._fetched = self._clock()
            except ValueError as exc:
                _LOG.warning("keys at %s: %s", self._shown(), exc)
                failure = exc
            self._tried = self._clock()
        if self._keys is None or not self._is_usable(now):
            msg = f"the keys at {self._shown()} cannot be fetched"
            raise KeysUnavailable(msg) from failure
        return self._keys

    def _is_usable(self, now: float) -> bool:
        return self._keys is not None and now - self._fetched < USABLE

    def _shown(self) -> str:
        return without_password(self._url)


def parse_keys(document: Any) -> KeySet:
    """Read a JSON Web Key Set, without the keys that cannot be used to check a signature.

    A shared secret has no place in a public document, and a key of a kind that is not understood
    must not spoil the others (RFC 7517 section 5).

    Raises:
        ValueError: It is no key set, or holds no key that can be used.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        msg = "not a JSON Web Key Set"
        raise ValueError(msg)
    keys = [key for item in listed if (key := _parse_key(item)) is not None]
    if not keys:
        msg = "no key that a signature can be checked with"
        raise ValueError(msg)
    return KeySet(keys)


def _parse_key(item: Any) -> Key | None:
    if not isinstance(item, dict) or item.get("kty") == "oct" or item.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(item)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None
