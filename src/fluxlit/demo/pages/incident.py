"""One incident in a dialog: what is known, what happened, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxlit.demo.catalog import KIND_LABELS, STATUS_LABELS, Priority, Status
from fluxlit.demo.models import IncidentChange, IncidentDetail
from fluxlit.demo.pages import frame
from fluxlit.exceptions import FluxLitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from fluxlit.client import ApiClient

_PARAMETER = "ref"
_ROW_PIXELS = 35


def selectable_table(st: ModuleType, rows: list[dict[str, object]], *, key: str) -> None:
    """Show incidents in a table as high as they need; selecting a row asks for its dialog."""
    # A new key forgets the selection, so that the same row can be selected again.
    count = st.session_state.setdefault("dialogs", 0)
    key = f"{key} {count}"

    def ask() -> None:
        if chosen := st.session_state[key].selection.rows:
            st.session_state["asked"] = rows[chosen[0]]["Reference"]
            st.session_state["dialogs"] = count + 1

    st.dataframe(
        rows,
        key=key,
        width="stretch",
        height=_ROW_PIXELS * (len(rows) + 1) + 2,
        hide_index=True,
        column_config=frame.table_columns(st),
        on_select=ask,
        selection_mode="single-row",
    )


def dialog_if_asked(st: ModuleType, client: ApiClient) -> None:
    """Open the dialog for the row just selected, or for the ``ref`` that a shared link names."""
    first_run = "linked" not in st.session_state
    st.session_state["linked"] = True
    linked = st.query_params.get(_PARAMETER) if first_run else None
    reference = st.session_state.pop("asked", None) or linked
    if reference is None:
        return
    st.query_params[_PARAMETER] = reference
    open_dialog = st.dialog(reference, width="large", on_dismiss=_forget(st))
    open_dialog(_content)(st, client, reference)


def _forget(st: ModuleType) -> Callable[[], None]:
    return lambda: st.query_params.pop(_PARAMETER, None)


def _content(st: ModuleType, client: ApiClient, reference: str) -> None:
    with frame.api_errors_shown(st, f"{reference} cannot be shown"):
        incident = client.get_model(f"/incidents/{reference}", IncidentDetail)
    st.subheader(incident.summary, anchor=False)
    _badges(st, incident)
    _facts(st, incident)
    log, change = st.columns([3, 2], gap="medium")
    with log:
        _log(st, incident)
    with change:
        _change(st, client, incident)


def _badges(st: ModuleType, incident: IncidentDetail) -> None:
    with st.container(horizontal=True, gap="small"):
        st.badge(STATUS_LABELS[incident.status], color=frame.STATUS_COLORS[incident.status])
        st.badge(incident.priority.value, color=frame.PRIORITY_BADGES[incident.priority])
        color, icon = ("red", "alarm") if incident.breached else ("gray", "schedule")
        st.badge(f"{frame.due(incident)}", color=color, icon=f":material/{icon}:")


def _facts(st: ModuleType, incident: IncidentDetail) -> None:
    facts = {
        "Depot": f"{incident.depot}, {incident.region}",
        "Kind": KIND_LABELS[incident.kind],
        "Team": incident.team,
        "Cargo": incident.cargo.value,
        "Cost": f"€ {incident.cost_eur:,.2f}",
    }
    for column, (name, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.caption(name)
        column.markdown(value)


def _log(st: ModuleType, incident: IncidentDetail) -> None:
    st.markdown("**Log**")
    moments = [(incident.opened_at, "Opened"), (incident.due_at, "Due")]
    if incident.resolved_at:
        moments.append((incident.resolved_at, "Resolved"))
    moments += [(entry.at, entry.text) for entry in incident.log]
    with st.container(border=True, height=260):
        for at, text in sorted(moments, key=lambda line: line[0]):
            st.caption(f"{at:%a %d %b, %H:%M} UTC")
            st.text(text)


def _change(st: ModuleType, client: ApiClient, incident: IncidentDetail) -> None:
    with st.form("change", border=False):
        st.markdown("**Change**")
        status = st.selectbox(
            "Status",
            list(Status),
            index=list(Status).index(incident.status),
            format_func=STATUS_LABELS.__getitem__,
        )
        priority = st.selectbox(
            "Priority", list(Priority), index=list(Priority).index(incident.priority)
        )
        note = st.text_area("Note", max_chars=500, placeholder="What was done, what is next")
        if st.form_submit_button("Save", type="primary", icon=":material/save:"):
            change = IncidentChange(
                revision=incident.revision, status=status, priority=priority, note=note
            )
            _save(st, client, incident.reference, change)


def _save(st: ModuleType, client: ApiClient, reference: str, change: IncidentChange) -> None:
    try:
        answer = client.patch(f"/incidents/{reference}", json=change.model_dump(mode="json"))
        answer.raise_for_status()
    except FluxLitError as error:
        st.error(f"Not saved: {frame.reason(error)}")
        return
    st.toast(f"{reference} saved", icon=":material/check:")
    st.query_params.pop(_PARAMETER, None)
    st.rerun()
