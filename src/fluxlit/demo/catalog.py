"""What the carrier is made of: the words that rows, routes and pages share."""

from __future__ import annotations

from enum import StrEnum

COMPANY = "Polarlane"


class Priority(StrEnum):
    """How soon an incident must be over; see :data:`SLA_HOURS`."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"


class Region(StrEnum):
    """The six parts of the network."""

    NORTH_SEA = "North Sea"
    BALTIC = "Baltic"
    RHINE = "Rhine"
    ALPINE = "Alpine"
    IBERIA = "Iberia"
    ADRIATIC = "Adriatic"


class Kind(StrEnum):
    """What went wrong."""

    TEMPERATURE = "temperature"
    DELAY = "delay"
    EQUIPMENT = "equipment"
    CUSTOMS = "customs"
    DAMAGE = "damage"
    DOCK = "dock"


class Cargo(StrEnum):
    """What was on board."""

    PRODUCE = "Fresh produce"
    DAIRY = "Dairy"
    FROZEN = "Frozen"
    SEAFOOD = "Seafood"
    PHARMA = "Pharma"
    FLOWERS = "Flowers"


SLA_HOURS: dict[Priority, int] = {
    Priority.CRITICAL: 4,
    Priority.HIGH: 12,
    Priority.NORMAL: 48,
    Priority.LOW: 120,
}

DEPOTS: dict[str, Region] = {
    "Rotterdam": Region.NORTH_SEA,
    "Esbjerg": Region.NORTH_SEA,
    "Gdańsk": Region.BALTIC,
    "Malmö": Region.BALTIC,
    "Duisburg": Region.RHINE,
    "Basel": Region.RHINE,
    "Innsbruck": Region.ALPINE,
    "Lyon": Region.ALPINE,
    "Valencia": Region.IBERIA,
    "Porto": Region.IBERIA,
    "Koper": Region.ADRIATIC,
    "Bari": Region.ADRIATIC,
}

KIND_LABELS: dict[Kind, str] = {
    Kind.TEMPERATURE: "Temperature excursion",
    Kind.DELAY: "Late arrival",
    Kind.EQUIPMENT: "Equipment fault",
    Kind.CUSTOMS: "Customs hold",
    Kind.DAMAGE: "Damaged goods",
    Kind.DOCK: "Dock access",
}

TEAMS: dict[Kind, str] = {
    Kind.TEMPERATURE: "Cold chain",
    Kind.DELAY: "Traffic",
    Kind.EQUIPMENT: "Workshop",
    Kind.CUSTOMS: "Customs",
    Kind.DAMAGE: "Claims",
    Kind.DOCK: "Yard",
}

STATUS_LABELS: dict[Status, str] = {
    Status.OPEN: "Open",
    Status.IN_PROGRESS: "In progress",
    Status.WAITING: "Waiting",
    Status.RESOLVED: "Resolved",
}
