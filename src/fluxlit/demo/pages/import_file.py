"""A CSV file into the desk: a dry run first, then the import, and every rejected row back."""

from __future__ import annotations

import csv
import io
from types import ModuleType
from typing import TYPE_CHECKING

from fluxlit.client import ApiClient
from fluxlit.demo.catalog import KIND_LABELS
from fluxlit.demo.imports import MAX_BYTES, MAX_ROWS, OPTIONAL, REQUIRED
from fluxlit.demo.models import ImportReport
from fluxlit.demo.pages import frame
from fluxlit.exceptions import FluxLitError

if TYPE_CHECKING:
    from fluxlit import FluxLit

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def register(app: FluxLit) -> None:
    app.page("/import", title="Import a file", icon=":material/upload_file:")(import_file)


def import_file(st: ModuleType, client: ApiClient) -> None:
    frame.head(st, "Import a file", "Check the file first; nothing is written until you say so.")
    upload, help_text = st.columns([3, 2], gap="large")
    with help_text:
        _format(st, client)
    with upload:
        megabytes = MAX_BYTES // 2**20
        file = st.file_uploader(
            f"CSV file, up to {megabytes} MB and {MAX_ROWS:,} rows",
            type=["csv"],
            max_upload_size=megabytes,
        )
    if file is None:
        return
    done = st.session_state.setdefault("imported", {})
    report = done.get(file.file_id)
    if report is None:
        report = _sent(st, client, file.getvalue(), dry_run=True)
    if report is None:
        return
    _figures(st, report)
    if report.dry_run and report.accepted and _confirmed(st, report):
        result = _sent(st, client, file.getvalue(), dry_run=False)
        if result is not None:
            done[file.file_id] = result
            st.rerun()
    _rows(st, report)


def _sent(
    st: ModuleType, client: ApiClient, content: bytes, *, dry_run: bool
) -> ImportReport | None:
    try:
        with st.spinner("The API reads the file …"):
            answer = client.post(
                "/imports",
                params={"dry_run": dry_run},
                content=content,
                headers={"Content-Type": "text/csv"},
            )
            return ImportReport.model_validate_json(answer.raise_for_status().content)
    except FluxLitError as error:
        st.error(f"Not imported: {frame.reason(error)}", icon=":material/error:")
        return None


def _format(st: ModuleType, client: ApiClient) -> None:
    with st.container(border=True):
        st.markdown("**What the file looks like**")
        st.markdown(
            f"A header line with `{'`, `'.join(REQUIRED)}`, and `{'`, `'.join(OPTIONAL)}` if"
            " known; comma, semicolon or tab; UTF-8 or UTF-16. A download of the incidents has"
            " this form, too."
        )
        with frame.api_errors_shown(st, "The example cannot be shown"):
            example = client.get("/imports/example.csv").raise_for_status().content
        st.download_button(
            "Example file", example, "incidents-example.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _confirmed(st: ModuleType, report: ImportReport) -> bool:
    label = f"Import {report.accepted:,} {'row' if report.accepted == 1 else 'rows'}"
    return bool(st.button(label, type="primary", icon=":material/database_upload:"))


def _figures(st: ModuleType, report: ImportReport) -> None:
    if report.dry_run:
        st.info(
            f"Dry run: {report.accepted:,} of {report.rows:,} rows can be imported. Columns are"
            f" separated by a {_DELIMITERS[report.delimiter]}.",
            icon=":material/fact_check:",
        )
    else:
        st.success(_imported(report), icon=":material/check_circle:")
    rows, accepted, rejected = st.columns(3)
    rows.metric("Rows", f"{report.rows:,}", border=True)
    accepted.metric("Accepted", f"{report.accepted:,}", border=True)
    rejected.metric("Rejected", f"{report.rejected:,}", border=True)


def _rows(st: ModuleType, report: ImportReport) -> None:
    if report.rejects:
        _rejected(st, report)
    if report.preview:
        _preview(st, report)


def _imported(report: ImportReport) -> str:
    if not report.references:
        return "Nothing was imported: no row was new and valid."
    first, last = report.references[0], report.references[-1]
    if first == last:
        return f"Imported one incident, {first}."
    return f"Imported {report.accepted:,} incidents, {first} to {last}."


def _rejected(st: ModuleType, report: ImportReport) -> None:
    st.markdown("**Rejected rows**")
    st.dataframe(
        [
            {
                "Line": row.line,
                "Reason": "; ".join(
                    f"{problem.column}: {problem.reason}" if problem.column else problem.reason
                    for problem in row.problems
                ),
                "Row": " | ".join(row.values.values()),
            }
            for row in report.rejects
        ],
        width="stretch",
        hide_index=True,
        column_config={"Line": st.column_config.NumberColumn(width=60, format="%d")},
    )
    st.download_button(
        f"Download the {report.rejected:,} rejected rows",
        rejected_csv(report),
        "rejected.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def rejected_csv(report: ImportReport) -> str:
    """Write the rejected rows as they were, with their line and reasons in front."""
    columns = dict.fromkeys(name for row in report.rejects for name in row.values)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["line", "reason", *columns], delimiter=report.delimiter)
    writer.writeheader()
    for row in report.rejects:
        reasons = "; ".join(f"{item.column} {item.reason}".strip() for item in row.problems)
        writer.writerow({**row.values, "line": row.line, "reason": reasons})
    return buffer.getvalue()


def _preview(st: ModuleType, report: ImportReport) -> None:
    st.markdown("**Accepted rows**")
    st.dataframe(
        [
            {
                "Opened": row.opened_at,
                "Depot": row.depot,
                "Kind": KIND_LABELS[row.kind],
                "Priority": row.priority.value,
                "Cargo": row.cargo.value,
                "Summary": row.summary,
                "Cost": row.cost_eur,
            }
            for row in report.preview
        ],
        width="stretch",
        hide_index=True,
        column_config={
            "Opened": st.column_config.DatetimeColumn("Opened (UTC)", format="D MMM YYYY, HH:mm"),
            "Cost": st.column_config.NumberColumn(format="€ %,.2f"),
        },
    )
    if report.accepted > len(report.preview):
        st.caption(f"The first {len(report.preview)} of {report.accepted:,}.")
