"""Logins that all gateway workers of a service see, and that outlive the replacement of one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

from fluxlit.auth.login_store import MOST

_VERIFIER: Final = "verifier"
_TOKEN: Final = "token"  # noqa: S105 - a kind
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS kept (kind TEXT, key BLOB, value TEXT, until REAL,"
    " PRIMARY KEY (kind, key)) WITHOUT ROWID"
)


class FileTokenStore:
    """Keeps logins in a file that only this user can read, for processes of one machine.

    Args:
        path: The file; it is made when it is first needed.
        state_ttl_seconds: Seconds that a user has at the identity provider.
        otc_ttl_seconds: Seconds that the page has to fetch the token.
        clock: Seconds since the epoch, which all processes count alike; the protocol's ``now`` is
            not asked.
    """

    def __init__(
        self,
        path: Path,
        *,
        state_ttl_seconds: float = 600.0,
        otc_ttl_seconds: float = 120.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._ttl = {_VERIFIER: state_ttl_seconds, _TOKEN: otc_ttl_seconds}
        self._clock = clock

    def save_pkce_verifier(self, state: str, code_verifier: str, *, now: float) -> None:  # noqa: ARG002
        """Keep the secret half of a proof key."""
        self._save(_VERIFIER, state, code_verifier)

    def pop_pkce_verifier(self, state: str, *, now: float) -> str | None:  # noqa: ARG002
        """Take it; None when there is none, or its time is over."""
        return self._pop(_VERIFIER, state)

    def save_exchange_token(self, auth_code: str, access_token: str, *, now: float) -> None:  # noqa: ARG002
        """Keep a token for whoever brings the code."""
        self._save(_TOKEN, auth_code, access_token)

    def pop_exchange_token(self, auth_code: str, *, now: float) -> str | None:  # noqa: ARG002
        """Take it; None when there is none, or its time is over."""
        return self._pop(_TOKEN, auth_code)

    def _save(self, kind: str, key: str, value: str) -> None:
        now = self._clock()
        with closing(self._begin()) as file, file:
            file.execute("DELETE FROM kept WHERE until <= ?", (now,))
            file.execute(
                "DELETE FROM kept WHERE kind = :kind AND key IN (SELECT key FROM kept"
                " WHERE kind = :kind ORDER BY until DESC LIMIT -1 OFFSET :others)",
                {"kind": kind, "others": MOST - 1},
            )
            row = (kind, _hidden(key), value, now + self._ttl[kind])
            file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", row)

    def _pop(self, kind: str, key: str) -> str | None:
        with closing(self._begin()) as file, file:
            found = file.execute(
                "DELETE FROM kept WHERE kind = ? AND key = ? AND until > ? RETURNING value",
                (kind, _hidden(key), self._clock()),
            ).fetchall()
        return str(found[0][0]) if found else None

    def _begin(self) -> sqlite3.Connection:
        """Open the file and begin to write, in turn: who reads first may not get to write after.

        Only SQLite ever opens it. Closing a descriptor of one's own would let go of the locks that
        other threads of this process hold (https://sqlite.org/howtocorrupt.html section 2.2).
        """
        file = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
        try:
            self._path.chmod(0o600)  # in a directory that is this user's alone, too
            file.execute(
                "PRAGMA synchronous = OFF"
            )  # nothing here outlives the machine's next start
            file.execute("BEGIN IMMEDIATE")
            file.execute(_SCHEMA)
        except BaseException:
            file.close()
            raise
        return file


def _hidden(key: str) -> bytes:
    """Return what stands for a state or code, which whoever reads the file cannot use."""
    return sha256(key.encode()).digest()
