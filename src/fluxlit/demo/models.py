"""The API's contract: what the routes take and give, and what the pages read them into."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    computed_field,
)

from fluxlit.demo.catalog import DEPOTS, TEAMS, Cargo, Kind, Priority, Region, Status


def _known_depot(name: str) -> str:
    if name not in DEPOTS:
        msg = "unknown depot"
        raise ValueError(msg)
    return name


def _printable(text: str) -> str:
    if not text.isprintable():
        msg = "must be one line without control characters"
        raise ValueError(msg)
    return text


Depot = Annotated[str, AfterValidator(_known_depot), Field(json_schema_extra={"enum": [*DEPOTS]})]
Summary = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=8, max_length=160),
    AfterValidator(_printable),
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Cost = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Sort(StrEnum):
    """Orders that a list of incidents can have; ``-`` means descending."""

    NEWEST = "-opened_at"
    OLDEST = "opened_at"
    DUE = "due_at"
    COST = "-cost_eur"
    PRIORITY = "priority"


class IncidentFilter(BaseModel):
    """Which incidents: values of one field are alternatives, fields narrow each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: list[Status] = []
    priority: list[Priority] = []
    region: list[Region] = []
    kind: list[Kind] = []
    depot: list[Depot] = []
    q: Annotated[str, Field(max_length=100, description="Words in reference or summary.")] = ""
    breached: Annotated[bool | None, Field(description="Whether the due time was missed.")] = None
    opened_from: date | None = None
    opened_to: Annotated[date | None, Field(description="Last day, included.")] = None
    sort: Sort = Sort.NEWEST


class IncidentQuery(IncidentFilter):
    """A filter and the page of its result."""

    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 25


class NewIncident(BaseModel):
    """What the desk must know to take an incident on."""

    model_config = ConfigDict(extra="forbid")

    depot: Depot
    kind: Kind
    priority: Priority
    cargo: Cargo
    summary: Summary
    cost_eur: Cost = 0.0


def _utc_unless_said(value: object) -> object:
    """Read a time without an offset as UTC: spreadsheets rarely write one."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime) and value.tzinfo is None:
        return f"{value.isoformat()}+00:00"
    return value


def _of_our_time(moment: datetime) -> datetime:
    if not 2000 <= moment.year < 2100:
        msg = "must be a date of this century"
        raise ValueError(msg)
    return moment


class ImportedIncident(NewIncident):
    """A line of an imported file: an incident and when it happened."""

    opened_at: Annotated[
        AwareDatetime, BeforeValidator(_utc_unless_said), AfterValidator(_of_our_time)
    ]


class IncidentChange(BaseModel):
    """What may change about an incident; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[
        int,
        Field(ge=0, description="The revision that the change was made from."),
    ]
    status: Status | None = None
    priority: Priority | None = None
    cost_eur: Cost | None = None
    note: Note = ""


class Incident(BaseModel):
    """An incident as the desk sees it now."""

    reference: str
    opened_at: datetime
    due_at: datetime
    resolved_at: datetime | None
    status: Status
    priority: Priority
    kind: Kind
    depot: str
    cargo: Cargo
    summary: str
    cost_eur: float
    breached: bool
    revision: int

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form
    @property
    def region(self) -> Region:
        """The region of the depot."""
        return DEPOTS[self.depot]

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented form
    @property
    def team(self) -> str:
        """The team that works on it."""
        return TEAMS[self.kind]


class Entry(BaseModel):
    """A line of an incident's log."""

    at: datetime
    text: str


class IncidentDetail(Incident):
    """An incident with its log, oldest line first."""

    log: list[Entry]


class IncidentPage(BaseModel):
    """One page of a filtered list."""

    items: list[Incident]
    total: int
    page: int
    pages: int


class Totals(BaseModel):
    """The key figures of one period."""

    opened: int
    resolved: int
    backlog: Annotated[int, Field(description="Unresolved at the end of the period.")]
    sla_met: Annotated[float | None, Field(description="Share solved in time of what fell due.")]
    median_hours: float | None
    cost_eur: float


class Day(BaseModel):
    """One day of the desk."""

    day: date
    opened: int
    resolved: int
    backlog: int
    cost_eur: float
    sla_met: float | None
    median_hours: float | None


class Slice(BaseModel):
    """The key figures of one value of one field."""

    name: str
    opened: int
    breached: int
    sla_met: float | None
    cost_eur: float


class Overview(BaseModel):
    """Everything that the overview page shows."""

    as_of: datetime
    days: int
    current: Totals
    previous: Totals
    series: list[Day]
    by_region: list[Slice]
    by_kind: list[Slice]
    by_priority: list[Slice]
    rhythm: Annotated[
        list[list[int]],
        Field(description="Incidents opened, by weekday (Monday first) and hour (UTC)."),
    ]


class Problem(BaseModel):
    """Why a line of an imported file was not taken."""

    line: int
    column: str
    reason: str


class RejectedRow(BaseModel):
    """A line that was not taken, as it stands in the file."""

    line: int
    values: dict[str, str]
    problems: list[Problem]


class ImportReport(BaseModel):
    """What an import did, or would do."""

    dry_run: bool
    delimiter: str
    rows: int
    accepted: int
    rejected: int
    references: Annotated[list[str], Field(description="Of the incidents made; none in a dry run.")]
    preview: Annotated[list[ImportedIncident], Field(description="The first accepted rows.")]
    rejects: list[RejectedRow]
