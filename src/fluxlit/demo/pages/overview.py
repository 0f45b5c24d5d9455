"""How the desk is doing: key figures against the period before, charts, and what is overdue."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from fluxlit.client import ApiClient
from fluxlit.demo.catalog import COMPANY, Region, Status
from fluxlit.demo.models import IncidentPage, Overview, Slice, Sort
from fluxlit.demo.pages import frame
from fluxlit.demo.pages.incident import dialog_if_asked, selectable_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxlit import FluxLit

_PERIODS = {"7 days": 7, "28 days": 28, "90 days": 90}
_OVERDUE_ROWS = 8


def register(app: FluxLit) -> None:
    app.page("/", title="Overview", icon=":material/monitoring:")(overview)


def overview(st: ModuleType, client: ApiClient) -> None:
    frame.head(
        st, "Operations desk", f"{COMPANY} · refrigerated freight, six regions, twelve depots"
    )
    days, regions = _scope(st)
    with frame.api_errors_shown(st, "The figures cannot be shown"):
        figures = client.get_model("/overview", Overview, params={"days": days, "region": regions})
        overdue = client.get_model(
            "/incidents",
            IncidentPage,
            params={
                "status": [status.value for status in Status if status is not Status.RESOLVED],
                "breached": True,
                "region": regions,
                "sort": Sort.PRIORITY.value,
                "page_size": _OVERDUE_ROWS,
            },
        )
    _figures(st, figures)
    _charts(st, figures)
    _overdue(st, overdue)
    st.caption(f"As of {figures.as_of:%A, %d %B %Y, %H:%M} UTC. All times are UTC.")
    dialog_if_asked(st, client)


def _scope(st: ModuleType) -> tuple[int, list[str]]:
    period, region = st.columns([1, 2], vertical_alignment="bottom")
    chosen = period.segmented_control(
        "Period", list(_PERIODS), default="28 days", key="period", bind="query-params"
    )
    regions = region.pills(
        "Regions", [item.value for item in Region], selection_mode="multi", key="region",
        bind="query-params",
    )  # fmt: skip
    return _PERIODS[chosen or "28 days"], list(regions)


def _figures(st: ModuleType, figures: Overview) -> None:
    now, before, series = figures.current, figures.previous, figures.series
    opened, backlog, sla, median, cost = st.columns(5)
    opened.metric(
        "Opened", f"{now.opened:,}", _percent(now.opened, before.opened), delta_color="inverse",
        border=True, chart_data=[day.opened for day in series],
        chart_type="bar" if figures.days < 60 else "area",
    )  # fmt: skip
    backlog.metric(
        "Backlog", f"{now.backlog:,}", now.backlog - before.backlog, delta_color="inverse",
        border=True, chart_data=[day.backlog for day in series], chart_type="area",
    )  # fmt: skip
    sla.metric(
        "Solved in time", "-" if now.sla_met is None else f"{now.sla_met:.1%}",
        _points(now.sla_met, before.sla_met), border=True, chart_type="line",
        chart_data=[day.sla_met for day in series if day.sla_met is not None],
    )  # fmt: skip
    median.metric(
        "Median time to solve", frame.span(now.median_hours) if now.median_hours else "-",
        _percent(now.median_hours, before.median_hours), delta_color="inverse", border=True,
        chart_type="line",
        chart_data=[day.median_hours for day in series if day.median_hours is not None],
    )  # fmt: skip
    cost.metric(
        "Cost", frame.money(now.cost_eur), _percent(now.cost_eur, before.cost_eur),
        delta_color="inverse", border=True, chart_data=[day.cost_eur for day in series],
        chart_type="area",
    )  # fmt: skip
    st.caption(f"Compared with the {figures.days} days before.")


def _percent(now: float | None, before: float | None) -> str | None:
    return f"{now / before - 1:+.1%}" if now is not None and before else None


def _points(now: float | None, before: float | None) -> str | None:
    return None if now is None or before is None else f"{(now - before) * 100:+.1f} points"


def _charts(st: ModuleType, figures: Overview) -> None:
    from fluxlit.demo import charts  # noqa: PLC0415 # the API's process has no use for Altair

    wide, narrow = st.columns([2, 1])
    _card(wide, "Opened and resolved per day", charts.opened_and_resolved(figures.series))
    _card(narrow, "Backlog at the end of the day", charts.backlog(figures.series))
    kinds, priorities, rhythm = st.columns(3)
    _card(kinds, "By kind", charts.by_kind(figures.by_kind))
    chart = charts.sla_by_priority(figures.by_priority, frame.PRIORITY_COLORS)
    _card(priorities, f"Solved in time, target {charts.SLA_TARGET:.0%}", chart)
    _card(rhythm, "When incidents come in", charts.rhythm(figures.rhythm))
    with st.container(border=True):
        st.markdown("**Regions**")
        _regions(st, figures.by_region)


def _card(column: ModuleType, title: str, chart: object) -> None:
    box = column.container(border=True)
    box.markdown(f"**{title}**")
    box.altair_chart(chart, width="stretch")


def _regions(st: ModuleType, slices: Sequence[Slice]) -> None:
    most = max((item.opened for item in slices), default=0) or 1
    column = st.column_config
    st.dataframe(
        [
            {
                "Region": item.name,
                "Incidents": item.opened,
                "Late": item.breached,
                "Solved in time": item.sla_met,
                "Cost": item.cost_eur,
            }
            for item in slices
            if item.opened
        ],
        width="stretch",
        hide_index=True,
        column_config={
            "Incidents": column.ProgressColumn(format="%d", min_value=0, max_value=most),
            "Solved in time": column.ProgressColumn(format="percent", min_value=0, max_value=1),
            "Cost": column.NumberColumn(format="€ %,.0f"),
        },
    )


def _overdue(st: ModuleType, overdue: IncidentPage) -> None:
    with st.container(border=True):
        st.markdown(f"**Overdue now: {overdue.total:,}**")
        if not overdue.items:
            st.success("Nothing is overdue.", icon=":material/check_circle:")
            return
        selectable_table(st, frame.table_rows(overdue.items), key="overdue")
