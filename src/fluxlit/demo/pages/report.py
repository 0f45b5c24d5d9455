"""A form that takes an incident on."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from fluxlit.client import ApiClient
from fluxlit.demo.catalog import DEPOTS, KIND_LABELS, SLA_HOURS, TEAMS, Cargo, Kind, Priority
from fluxlit.demo.models import IncidentDetail
from fluxlit.demo.pages import frame
from fluxlit.exceptions import FluxLitError

if TYPE_CHECKING:
    from fluxlit import FluxLit


def register(app: FluxLit) -> None:
    app.page("/report", title="Report an incident", icon=":material/add_alert:")(report)


def report(st: ModuleType, client: ApiClient) -> None:
    frame.head(st, "Report an incident", "The desk sets team and due time from what you enter.")
    form, notes = st.columns([3, 2], gap="large")
    with notes:
        _rules(st)
    with form:
        entered = _form(st)
        if entered is not None:
            _send(st, client, entered)
        if (latest := st.session_state.pop("reported", None)) is not None:
            _thanks(st, latest)


def _form(st: ModuleType) -> dict[str, Any] | None:
    # A new key empties the form, which happens only after the API has taken what was in it.
    number = st.session_state.get("reports", 0)
    with st.form(f"report {number}", enter_to_submit=False):
        left, right = st.columns(2)
        depot = left.selectbox("Depot", list(DEPOTS), format_func=_depot_and_region)
        kind = right.selectbox("Kind", list(Kind), format_func=KIND_LABELS.__getitem__)
        priority = st.segmented_control(
            "Priority", list(Priority), default=Priority.NORMAL, format_func=str.capitalize
        )
        left, right = st.columns(2)
        cargo = left.selectbox("Cargo", list(Cargo))
        cost = right.number_input("Cost so far (€)", min_value=0.0, step=50.0, format="%.2f")
        summary = st.text_input(
            "Summary", placeholder="Trailer T-221: hold at +5.1 °C, set point +1.0 °C"
        )
        if not st.form_submit_button("Report", type="primary", icon=":material/send:"):
            return None
    return {
        "depot": depot,
        "kind": kind,
        "priority": priority,
        "cargo": cargo,
        "cost_eur": cost,
        "summary": summary,
    }


def _depot_and_region(depot: str) -> str:
    return f"{depot} · {DEPOTS[depot]}"


def _send(st: ModuleType, client: ApiClient, entered: dict[str, Any]) -> None:
    try:
        made = client.post_model("/incidents", IncidentDetail, json=entered)
    except FluxLitError as error:
        st.error(f"Not reported. {frame.reason(error)}", icon=":material/error:")
        return
    st.session_state["reported"] = made
    st.session_state["reports"] = st.session_state.get("reports", 0) + 1
    st.rerun()


def _thanks(st: ModuleType, made: IncidentDetail) -> None:
    st.success(
        f"**{made.reference}** is with the {made.team} team,"
        f" due {made.due_at:%A, %d %B at %H:%M} UTC.",
        icon=":material/check_circle:",
    )


def _rules(st: ModuleType) -> None:
    with st.container(border=True):
        st.markdown("**Time to solve**")
        st.table(
            [
                {"Priority": priority.capitalize(), "Due after": f"{hours} h"}
                for priority, hours in SLA_HOURS.items()
            ],
            hide_index=True,
            border="horizontal",
        )
        st.markdown("**Who works on it**")
        st.table(
            [{"Kind": KIND_LABELS[kind], "Team": team} for kind, team in TEAMS.items()],
            hide_index=True,
            border="horizontal",
        )
