"""The workers of one service, as a gateway of it sees them: through the board."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fluxlit._headers import KEY
from fluxlit._secrets import derived
from fluxlit._types import JsonValue
from fluxlit._version import __version__
from fluxlit.config import FluxlitSettings
from fluxlit.gateway.remote import RemoteUpstreams
from fluxlit.gateway.upstream import Member, Upstream
from fluxlit.metrics import Tallies, Tally
from fluxlit.workers.board import Board, Record, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import WorkerEvents
from fluxlit.workers.rundir import handoff_socket, ui_socket

_SERVING = frozenset({State.READY, State.DRAINING})


class Fleet:
    """The UI workers to choose from, and the figures to tell.

    Args:
        secret: The service's secret, the same for all of its gateways.
        hands_over: Whether browsers' sockets are handed to the workers where the server can.
        elsewhere: The UI, where it is not on this machine.
        embedded: The UI is in this gateway's own process.
        ports_of: The host whose ports the UI workers listen on; empty where they have sockets.
    """

    def __init__(
        self,
        *,
        secret: str,
        hands_over: bool = False,
        elsewhere: RemoteUpstreams | None = None,
        embedded: bool = False,
        ports_of: str = "",
    ) -> None:
        self.secret = secret
        self.elsewhere = elsewhere
        self._hands_over = hands_over and not ports_of
        self._embedded = embedded
        self._ports_of = ports_of
        self._key = (KEY, derived(secret, "door").encode("ascii"))
        self._directory: Path | None = None
        self._board: Board | None = None
        self._upstreams: dict[int, Upstream] = {}
        self._row = 0

    @classmethod
    def of(cls, settings: FluxlitSettings, made: str) -> Fleet:
        """Make the fleet that an app's settings describe.

        Args:
            settings: The app's settings.
            made: A secret that was made for this start.
        """
        secret = settings.service_secret(made)
        return cls(
            secret=secret,
            hands_over=settings.ui_handoff,
            elsewhere=RemoteUpstreams.of(settings) if settings.ui_mode == "remote" else None,
            embedded=settings.ui_mode == "embedded",
            ports_of="" if settings.uses_unix_sockets() else _reached(settings.streamlit_host),
        )

    def join(self, directory: Path, row: int) -> None:
        """Take part in a service.

        Args:
            directory: The run directory, with its board.
            row: This gateway's row on it.
        """
        self._directory, self._row = directory, row
        self._board = Board(directory)

    @property
    def has_joined(self) -> bool:
        """Whether it takes part in a service; not before a lifespan has begun one."""
        return self._board is not None

    def has_our_frontend(self) -> bool:
        """Tell whether the UI is of the Streamlit whose files this process has."""
        return self.elsewhere is None or self.elsewhere.have_our_frontend

    def members(self) -> Sequence[Member]:
        """Return every UI worker that is, is about to be, or is to come back."""
        if self.elsewhere is not None:
            return self.elsewhere.members()
        if self._board is None:
            return ()
        if self._embedded:  # whoever asks is served by it
            own = self._member(self._board.record(self._row), time.monotonic_ns())
            return [replace(own, serves=True, welcomes=True, stuck=False)]
        there = _known(self._board.records(WorkerKind.UI))
        if self._upstreams.keys() - {record.generation for record in there}:
            self._upstreams.clear()
        now = time.monotonic_ns()
        return [self._member(record, now) for record in there]

    def figures(self) -> Sequence[Record]:
        """Return what the board says of each worker now, gateways included."""
        return self._board.newest() if self._board else ()

    def phase(self) -> str:
        """Return where the service is in its life; empty before there is one."""
        return State(self._board.service().state).label if self._board else ""

    def describe(self) -> dict[str, JsonValue]:
        """Return what an operator may know of the service and its workers, for JSON."""
        if self._board is None:
            return {"status": "", "workers": []}
        now, own = time.monotonic_ns(), self._board.service()
        uptime = (now - own.born_ns) / 1e9
        events = {f"{kind} {reason}": number for kind, reason, number in self.events() if number}
        return {
            "status": State(own.state).label,
            "version": __version__,
            "pid": own.pid,
            "started": datetime.fromtimestamp(time.time() - uptime, UTC).isoformat(
                timespec="seconds"
            ),
            "uptime_s": round(uptime, 1),
            "workers": [_described(record, now) for record in _known(self._board.records())],
            "events": dict(events),
        }

    def events(self) -> WorkerEvents:
        """Return what has happened to workers.

        Raises:
            OSError: This process takes part in no service.
        """
        return WorkerEvents(self._directory or Path("/nonexistent"))

    def tallies(self) -> Tallies:
        """Return the service's counts.

        Raises:
            OSError: This process takes part in no service.
        """
        return Tallies(self._directory or Path("/nonexistent"))

    def tally(self) -> Tally:
        """Return where this gateway counts."""
        return self.tallies().tally(self._row)

    def _member(self, record: Record, now_ns: int) -> Member:
        state, stuck = State(record.state), _is_stuck(record, now_ns)
        return Member(
            self._upstream(record),
            slot=record.slot,
            generation=record.generation,
            load=record.sockets,
            serves=state in _SERVING and not stuck,
            welcomes=state is State.READY and not stuck,
            stuck=stuck,
            detail="its event loop stands still" if stuck else state.label,
        )

    def _upstream(self, record: Record) -> Upstream:
        if self._ports_of and not record.port:
            return Upstream(
                f"ui-{record.slot}", url="http://ui:0"
            )  # where it is going to be, it says later
        found = self._upstreams.get(record.generation)
        if found is None and self._ports_of:
            url = f"http://{self._ports_of}:{record.port}"
            found = Upstream(f"ui-{record.slot}", url=url, headers=(self._key,))
            self._upstreams[record.generation] = found
        if found is None:
            folder = self._directory or Path("/nonexistent")
            path = ui_socket(folder, record.slot, record.generation)
            handoff = handoff_socket(path) if self._hands_over else None
            found = Upstream(f"ui-{record.slot}", socket_path=path, handoff_path=handoff)
            self._upstreams[record.generation] = found
        return found


def _known(records: Sequence[Record]) -> list[Record]:
    """Leave out who is gone and has a successor."""
    last = {(record.kind, record.slot): record.generation for record in records}
    return [
        it for it in records if it.state != State.GONE or it.generation == last[it.kind, it.slot]
    ]


def _described(record: Record, now_ns: int) -> JsonValue:
    return {
        "name": record.name,
        "pid": record.pid or None,
        "state": "stuck" if _is_stuck(record, now_ns) else State(record.state).label,
        "age_s": round((now_ns - record.born_ns) / 1e9, 1),
        "beat_age_s": round((now_ns - record.beat_ns) / 1e9, 1),
        "rss_bytes": record.resident,
        # A gateway hands them over; those that it relays are counted where they end.
        "websockets": record.sockets if record.has_pages else None,
        "generation": record.generation,
    }


def _is_stuck(record: Record, now_ns: int) -> bool:
    """Tell whether a worker that serves does not get to it; one that starts has no loop yet."""
    return record.state in _SERVING and record.is_silent(now_ns)


def _reached(host: str) -> str:
    """Return where a worker is reached that listens on a host."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
