from __future__ import annotations

import csv
import io

from fluxlit.demo.models import ImportReport, Problem, RejectedRow
from fluxlit.demo.pages.import_file import rejected_csv


def test_rejected_rows_are_given_back_whole() -> None:
    rows = [
        RejectedRow(
            line=3, values={"depot": "Atlantis", "summary": "a;b"},
            problems=[Problem(line=3, column="depot", reason="unknown depot")],
        ),
        RejectedRow(
            line=7, values={"depot": "Bari", "summary": "x", "column 3": "extra"},
            problems=[Problem(line=7, column="", reason="the row has 3 cells, the header 2")],
        ),
    ]  # fmt: skip
    report = ImportReport(
        dry_run=True, delimiter=";", rows=2, accepted=0, rejected=2, references=[], preview=[],
        rejects=rows,
    )  # fmt: skip

    assert list(csv.DictReader(io.StringIO(rejected_csv(report)), delimiter=";")) == [
        {"line": "3", "reason": "depot unknown depot", "depot": "Atlantis", "summary": "a;b",
         "column 3": ""},
        {"line": "7", "reason": "the row has 3 cells, the header 2", "depot": "Bari",
         "summary": "x", "column 3": "extra"},
    ]  # fmt: skip
