"""What all pages share: their head, their errors, and how an incident looks in a table."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from fluxlit.client import ApiError
from fluxlit.demo.catalog import COMPANY, KIND_LABELS, STATUS_LABELS, Priority, Status
from fluxlit.exceptions import FluxLitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from fluxlit.demo.models import Incident

PRIORITY_COLORS = {
    Priority.CRITICAL: "#dc2626",
    Priority.HIGH: "#f59e0b",
    Priority.NORMAL: "#0e9aa7",
    Priority.LOW: "#94a3b8",
}
STATUS_COLORS = {
    Status.OPEN: "blue",
    Status.IN_PROGRESS: "orange",
    Status.WAITING: "violet",
    Status.RESOLVED: "green",
}
# In st.badge's vocabulary.
PRIORITY_BADGES = {
    Priority.CRITICAL: "red",
    Priority.HIGH: "orange",
    Priority.NORMAL: "blue",
    Priority.LOW: "gray",
}


def head(st: ModuleType, title: str, subtitle: str) -> None:
    """Show the company's mark and the page's title."""
    st.logo(files("fluxlit.demo").joinpath("logo.svg").read_text("utf-8"), size="large")
    st.html("<style>.stMainBlockContainer {padding: 3.2rem 3rem 2rem}</style>")
    st.header(title, anchor=False)
    st.caption(subtitle)
    with st.sidebar:
        st.caption(f"{COMPANY} is a fictional carrier of refrigerated goods. All data is invented.")


@contextmanager
def api_errors_shown(st: ModuleType, what: str) -> Iterator[None]:
    """Show an error of the API in place of the rest of the page.

    Args:
        st: The ``streamlit`` module.
        what: What failed, as the beginning of a sentence.
    """
    try:
        yield
    except FluxLitError as error:
        st.error(f"{what}: {reason(error)}", icon=":material/cloud_off:")
        if not isinstance(error, ApiError):  # an answer stays the same, an outage may be over
            st.button("Try again", icon=":material/refresh:", key=f"retry {what}")
        st.stop()


def reason(error: FluxLitError) -> str:
    """Say why the API refused, in its own words where it has some."""
    if not isinstance(error, ApiError):
        return str(error)
    try:
        detail = error.response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return str(error)
    if isinstance(detail, str):
        return detail
    return "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)


def money(euros: float) -> str:
    """Write an amount as short as it is clear: ``€ 521k``."""
    if abs(euros) >= 999_500:
        return f"€ {euros / 1_000_000:,.2f}M"
    return f"€ {euros / 1000:,.0f}k" if abs(euros) >= 10_000 else f"€ {euros:,.0f}"


def span(hours: float) -> str:
    """Write a duration in its natural unit: ``45 min``, ``7.5 h``, ``3.2 days``."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    if hours < 48:
        return f"{hours:.1f} h"
    return f"{hours / 24:.1f} days" if hours < 240 else f"{hours / 24:.0f} days"


def due(incident: Incident, now: datetime | None = None) -> str:
    """Say how an incident stands to its due time."""
    end = incident.resolved_at or now or datetime.now(UTC)
    hours = (incident.due_at - end).total_seconds() / 3600
    if incident.resolved_at:
        return f"{span(hours)} early" if hours >= 0 else f"{span(-hours)} late"
    return f"in {span(hours)}" if hours >= 0 else f"overdue by {span(-hours)}"


def table_rows(incidents: Iterable[Incident]) -> list[dict[str, object]]:
    """Turn incidents into the rows of a table with :func:`table_columns`."""
    return [
        {
            "Reference": incident.reference,
            "Priority": [incident.priority.value],
            "Status": [STATUS_LABELS[incident.status]],
            "Due": due(incident),
            "Summary": incident.summary,
            "Depot": incident.depot,
            "Opened": incident.opened_at,
            "Kind": KIND_LABELS[incident.kind],
            "Cost": incident.cost_eur,
        }
        for incident in incidents
    ]


def table_columns(st: ModuleType) -> dict[str, object]:
    """Describe how the columns of :func:`table_rows` look."""
    column = st.column_config
    return {
        "Reference": column.TextColumn(width=80, pinned=True),
        "Priority": column.MultiselectColumn(
            width=80, options=list(PRIORITY_COLORS), color=list(PRIORITY_COLORS.values())
        ),
        "Status": column.MultiselectColumn(
            width=95,
            options=list(STATUS_LABELS.values()),
            color=[STATUS_COLORS[status] for status in STATUS_LABELS],
        ),
        "Summary": column.TextColumn(width=320),
        "Kind": column.TextColumn(width=145),
        "Depot": column.TextColumn(width=85),
        "Opened": column.DatetimeColumn("Opened (UTC)", format="D MMM, HH:mm", width=110),
        "Due": column.TextColumn(width=125),
        "Cost": column.NumberColumn(format="€ %,.0f", width=80),
    }
