"""What a login keeps between its steps: the proof key while the user is away, then the token."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final, Protocol

MOST: Final = 20_000
"""Entries of a kind; the oldest go first, so that whoever opens the login in a loop fills no
memory."""


class OIDCBFFTokenStore(Protocol):
    """Keeps what belongs to a login; each entry can be taken once.

    ``now`` is the caller's monotonic time in seconds. Where several machines serve an app, give a
    store that they share.
    """

    def save_pkce_verifier(self, state: str, code_verifier: str, *, now: float) -> None:
        """Keep the secret half of a proof key (RFC 7636)."""

    def pop_pkce_verifier(self, state: str, *, now: float) -> str | None:
        """Take it; None when there is none, or its time is over."""

    def save_exchange_token(self, auth_code: str, access_token: str, *, now: float) -> None:
        """Keep a token for whoever brings the code."""

    def pop_exchange_token(self, auth_code: str, *, now: float) -> str | None:
        """Take it; None when there is none, or its time is over."""


class _Once:
    """Values that can be taken once, for a time; the same for all, so the oldest end first."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def save(self, key: str, value: str, *, now: float, ttl: float) -> None:
        with self._lock:
            self._purge(now, MOST - 1)
            self._values.pop(key, None)
            self._values[key] = (now + ttl, value)

    def pop(self, key: str, *, now: float) -> str | None:
        with self._lock:
            self._purge(now, MOST)
            _, value = self._values.pop(key, (0.0, None))
            return value

    def _purge(self, now: float, most: int) -> None:
        while self._values:
            oldest = next(iter(self._values))
            if self._values[oldest][0] > now and len(self._values) <= most:
                return
            del self._values[oldest]


@dataclass
class InMemoryOIDCBFFTokenStore:
    """Keeps it in this process.

    Args:
        state_ttl_seconds: Seconds that a user has at the identity provider.
        otc_ttl_seconds: Seconds that the page has to fetch the token.
    """

    state_ttl_seconds: float = 600.0
    otc_ttl_seconds: float = 120.0
    _verifiers: _Once = field(default_factory=_Once, init=False, repr=False, compare=False)
    _tokens: _Once = field(default_factory=_Once, init=False, repr=False, compare=False)

    def save_pkce_verifier(self, state: str, code_verifier: str, *, now: float) -> None:
        """Keep the secret half of a proof key."""
        self._verifiers.save(state, code_verifier, now=now, ttl=self.state_ttl_seconds)

    def pop_pkce_verifier(self, state: str, *, now: float) -> str | None:
        """Take it; None when there is none, or its time is over."""
        return self._verifiers.pop(state, now=now)

    def save_exchange_token(self, auth_code: str, access_token: str, *, now: float) -> None:
        """Keep a token for whoever brings the code."""
        self._tokens.save(auth_code, access_token, now=now, ttl=self.otc_ttl_seconds)

    def pop_exchange_token(self, auth_code: str, *, now: float) -> str | None:
        """Take it; None when there is none, or its time is over."""
        return self._tokens.pop(auth_code, now=now)
