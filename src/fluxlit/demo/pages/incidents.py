"""All incidents: narrow them down, page through them, open one, take them along."""

from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fluxlit.client import ApiClient
from fluxlit.demo.catalog import DEPOTS, KIND_LABELS, STATUS_LABELS, Priority, Region
from fluxlit.demo.models import IncidentPage, Sort
from fluxlit.demo.pages import frame
from fluxlit.demo.pages.incident import dialog_if_asked, selectable_table

if TYPE_CHECKING:
    from fluxlit import FluxLit

_PAGE_SIZE = 15
_SORTS = {
    "Newest first": Sort.NEWEST,
    "Oldest first": Sort.OLDEST,
    "Due first": Sort.DUE,
    "Most urgent": Sort.PRIORITY,
    "Most expensive": Sort.COST,
}
_STATUS = {label: status for status, label in STATUS_LABELS.items()}
_KINDS = {label: kind for kind, label in KIND_LABELS.items()}


def register(app: FluxLit) -> None:
    app.page("/incidents", title="Incidents", icon=":material/list_alt:")(incidents)


def incidents(st: ModuleType, client: ApiClient) -> None:
    frame.head(st, "Incidents", "Select a row to open it. The address keeps the filters: share it.")
    wanted = _filters(st)
    with frame.api_errors_shown(st, "The incidents cannot be shown"):
        found = client.get_model(
            "/incidents",
            IncidentPage,
            params={**wanted, "page": _page(st), "page_size": _PAGE_SIZE},
        )
    if not found.total:
        st.info("No incident matches these filters.", icon=":material/search_off:")
        return
    key = f"table {found.page} {sorted(wanted.items())}"
    selectable_table(st, frame.table_rows(found.items), key=key)
    _footer(st, client, found, wanted)
    dialog_if_asked(st, client)


def _filters(st: ModuleType) -> dict[str, Any]:
    """Show the filters and return them as the API's parameters, empty ones left out."""

    def bound(key: str) -> dict[str, object]:
        # A filter that changes leads back to the first page of its result.
        back = lambda: st.query_params.pop("page", None)  # noqa: E731
        return {"key": key, "bind": "query-params", "on_change": back}

    first = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    words = first[0].text_input(
        "Search", placeholder="Reference or words of the summary", max_chars=100,
        icon=":material/search:", **bound("q"),
    )  # fmt: skip
    statuses = first[1].multiselect("Status", list(_STATUS), placeholder="Any", **bound("status"))
    priorities = first[2].multiselect(
        "Priority", [item.value for item in Priority], placeholder="Any", **bound("priority")
    )
    kinds = first[3].multiselect("Kind", list(_KINDS), placeholder="Any", **bound("kind"))
    second = st.columns([2, 2, 2, 2, 1.4], vertical_alignment="bottom")
    regions = second[0].multiselect(
        "Region", [item.value for item in Region], placeholder="Any", **bound("region")
    )
    depots = second[1].multiselect("Depot", list(DEPOTS), placeholder="Any", **bound("depot"))
    since = second[2].date_input(
        "Opened since", value=None, max_value=datetime.now(UTC).date(), **bound("since")
    )
    order = second[3].selectbox("Order", list(_SORTS), **bound("order"))
    late = second[4].toggle("Late only", **bound("late"))
    wanted = {
        "q": words,
        "status": [_STATUS[label].value for label in statuses],
        "priority": priorities,
        "kind": [_KINDS[label].value for label in kinds],
        "region": regions,
        "depot": depots,
        "opened_from": since.isoformat() if since else None,
        "breached": True if late else None,
        "sort": _SORTS[order].value,
    }
    return {name: value for name, value in wanted.items() if value}


def _page(st: ModuleType) -> int:
    text = st.query_params.get("page", "1")
    return int(text) or 1 if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _footer(st: ModuleType, client: ApiClient, found: IncidentPage, wanted: dict[str, Any]) -> None:
    def turn(by: int) -> None:
        st.query_params["page"] = str(found.page + by)

    first = (found.page - 1) * _PAGE_SIZE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{first:,} - {first + len(found.items) - 1:,}** of **{found.total:,}** incidents"
        )
        st.button(
            "Previous", icon=":material/chevron_left:", disabled=found.page == 1,
            on_click=turn, args=(-1,), width="content",
        )  # fmt: skip
        st.markdown(f"Page {found.page} of {found.pages}", width="content")
        st.button(
            "Next", icon=":material/chevron_right:", icon_position="right",
            disabled=found.page == found.pages, on_click=turn, args=(1,),
        )  # fmt: skip
        st.download_button(
            f"Download {found.total:,} rows",
            # Asked for on the click, not on every rerun.
            data=lambda: client.get("/incidents.csv", params=wanted).raise_for_status().content,
            file_name="incidents.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
