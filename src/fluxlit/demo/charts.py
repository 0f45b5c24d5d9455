"""The overview's charts. Imported by pages only while they run: the API has no use for Altair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from fluxlit.demo.catalog import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fluxlit.demo.models import Day, Slice

TEAL = "#0e9aa7"
BLUE = "#5b8fc7"
RED = "#dc2626"
SAND = "#e8b04b"
SLA_TARGET = 0.85

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _chart(values: Sequence[Mapping[str, object]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call] # Altair's own


def opened_and_resolved(
    series: Sequence[Day], height: int = 270
) -> alt.LayerChart | alt.FacetChart:
    """Bars for what came in, a line for what was solved."""
    values = [
        {"day": day.day.isoformat(), "what": what, "incidents": count}
        for day in series
        for what, count in (("Opened", day.opened), ("Resolved", day.resolved))
    ]
    base = _chart(values).encode(
        x=alt.X("yearmonthdate(day):T", title=None, axis=alt.Axis(format="%d %b", grid=False)),
        y=alt.Y("incidents:Q", title=None),
        color=alt.Color(
            "what:N",
            title=None,
            scale=alt.Scale(domain=["Opened", "Resolved"], range=[TEAL, SAND]),
            legend=alt.Legend(orient="top"),
        ),
        tooltip=[
            alt.Tooltip("yearmonthdate(day):T", title="Day", format="%a %d %b"),
            alt.Tooltip("what:N", title=" "),
            alt.Tooltip("incidents:Q", title="Incidents"),
        ],
    )
    bars = base.transform_filter("datum.what == 'Opened'").mark_bar(
        width=alt.RelativeBandSize(0.75), cornerRadiusTopLeft=2, cornerRadiusTopRight=2
    )
    line = (
        base.transform_filter("datum.what == 'Resolved'")
        .mark_line(strokeWidth=2.5, interpolate="monotone")
        .encode(x=alt.X("yearmonthdate(day):T", title=None, bandPosition=0.5))
    )
    return alt.layer(bars, line).properties(height=height)


def backlog(series: Sequence[Day], height: int = 270) -> alt.Chart:
    """What was left at the end of each day."""
    values = [{"day": day.day.isoformat(), "backlog": day.backlog} for day in series]
    chart: alt.Chart = (
        _chart(values)
        .mark_area(
            line={"color": BLUE, "strokeWidth": 2}, color=BLUE, opacity=0.18, interpolate="monotone"
        )
        .encode(
            x=alt.X("yearmonthdate(day):T", title=None, axis=alt.Axis(format="%d %b", grid=False)),
            y=alt.Y("backlog:Q", title=None),
            tooltip=[
                alt.Tooltip("yearmonthdate(day):T", title="Day", format="%a %d %b"),
                alt.Tooltip("backlog:Q", title="Unresolved"),
            ],
        )
        .properties(height=height)
    )
    return chart


def by_kind(slices: Sequence[Slice], height: int = 250) -> alt.Chart:
    """How many of each kind, and how many of those missed their due time."""
    values = [
        {"kind": item.name, "outcome": outcome, "incidents": count}
        for item in slices
        for outcome, count in (
            ("In time", item.opened - item.breached),
            ("Late", item.breached),
        )
    ]
    chart: alt.Chart = (
        _chart(values)
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y("kind:N", title=None, sort="-x", axis=alt.Axis(labelLimit=200)),
            x=alt.X("sum(incidents):Q", title=None),
            color=alt.Color(
                "outcome:N",
                title=None,
                scale=alt.Scale(domain=["In time", "Late"], range=[TEAL, RED]),
                legend=alt.Legend(orient="top"),
            ),
            order=alt.Order("outcome:N", sort="ascending"),
            tooltip=[
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("sum(incidents):Q", title="Incidents"),
            ],
        )
        .properties(height=height)
    )
    return chart


def sla_by_priority(
    slices: Sequence[Slice], colors: Mapping[Priority, str], height: int = 250
) -> alt.LayerChart | alt.FacetChart:
    """The share solved in time per priority, against the target."""
    names = [item.name for item in slices]
    values = [
        {"priority": item.name, "met": item.sla_met, "incidents": item.opened}
        for item in slices
        if item.sla_met is not None
    ]
    bars = (
        _chart(values)
        .mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3, size=38)
        .encode(
            x=alt.X("priority:N", title=None, sort=names, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(
                "met:Q",
                title=None,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
            ),
            color=alt.Color(
                "priority:N",
                legend=None,
                scale=alt.Scale(domain=names, range=[colors[Priority(name)] for name in names]),
            ),
            tooltip=[
                alt.Tooltip("priority:N", title="Priority"),
                alt.Tooltip("met:Q", title="Solved in time", format=".1%"),
                alt.Tooltip("incidents:Q", title="Incidents"),
            ],
        )
    )
    labels = bars.mark_text(dy=14, fontWeight="bold").encode(
        text=alt.Text("met:Q", format=".0%"), color=alt.value("white")
    )
    target = (
        _chart([{"target": SLA_TARGET}])
        .mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color="gray")
        .encode(y="target:Q")
    )
    return alt.layer(bars, labels, target).properties(height=height)


def rhythm(grid: Sequence[Sequence[int]], height: int = 250) -> alt.Chart:
    """When incidents come in: weekday against hour."""
    values = [
        {"weekday": weekday, "hour": hour, "incidents": count}
        for weekday, row in zip(_WEEKDAYS, grid, strict=True)
        for hour, count in enumerate(row)
    ]
    chart: alt.Chart = (
        _chart(values)
        .mark_rect(cornerRadius=2, color=TEAL)
        .encode(
            x=alt.X(
                "hour:O",
                title=None,
                axis=alt.Axis(labelAngle=0, values=list(range(0, 24, 3)), ticks=False),
            ),
            y=alt.Y("weekday:O", title=None, sort=list(_WEEKDAYS), axis=alt.Axis(ticks=False)),
            # Opacity reads on a light and on a dark background.
            opacity=alt.Opacity("incidents:Q", legend=None, scale=alt.Scale(range=[0.07, 1])),
            tooltip=[
                alt.Tooltip("weekday:O", title="Weekday"),
                alt.Tooltip("hour:O", title="Hour (UTC)"),
                alt.Tooltip("incidents:Q", title="Incidents"),
            ],
        )
        .properties(height=height)
    )
    return chart
