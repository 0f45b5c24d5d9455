from __future__ import annotations

import csv
import io
import os
from datetime import datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fluxlit.demo import api, imports
from fluxlit.demo.store import IncidentStore

NEW = {
    "depot": "Basel", "kind": "dock", "priority": "high", "cargo": "Dairy",
    "summary": "Dock 4 blocked by snow", "cost_eur": 12.5,
}  # fmt: skip
HEADER = "opened_at,depot,kind,priority,cargo,summary,cost_eur\n"
GOOD = "2026-03-02 06:40,Rotterdam,temperature,high,Seafood,Trailer T-221 too warm,840.00\n"
BAD = "2026-03-02 06:40,Atlantis,temperature,high,Seafood,Trailer T-221 too warm,840.00\n"


def total(client: TestClient, **params: object) -> int:
    answer = client.get("/incidents", params=params)  # type: ignore[arg-type] # lists and values
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


def test_pages_cover_the_result_once_and_in_order(client: TestClient) -> None:
    seen: list[str] = []
    page, pages = 1, 2
    while page <= pages:
        answer = client.get("/incidents", params={"region": "Alpine", "page": page,
                                                  "page_size": 100}).json()  # fmt: skip
        pages = answer["pages"]
        seen += [item["reference"] for item in answer["items"]]
        page += 1

    assert len(seen) == len(set(seen)) == answer["total"] > 200


def test_a_page_beyond_the_last_is_the_last(client: TestClient) -> None:
    answer = client.get("/incidents", params={"page": 99_999}).json()

    assert answer["page"] == answer["pages"] > 1
    assert answer["items"]


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0}, {"page_size": 201}, {"status": "gone"}, {"depot": "Atlantis"},
        {"opened_from": "yesterday"}, {"colour": "red"}, {"sort": "id; DROP TABLE incidents"},
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused(
    client: TestClient, params: dict[str, str | int]
) -> None:
    assert client.get("/incidents", params=params).status_code == 422


def test_values_of_one_field_are_alternatives_and_fields_narrow(client: TestClient) -> None:
    critical, high = total(client, priority="critical"), total(client, priority="high")
    both = total(client, priority=["critical", "high"])

    assert both == critical + high
    assert 0 < total(client, priority=["critical", "high"], region="Rhine") < both


@pytest.mark.parametrize(
    ("params", "field", "expected"),
    [
        ({"status": "waiting"}, "status", "waiting"),
        ({"kind": "customs"}, "kind", "customs"),
        ({"depot": "Gdańsk"}, "depot", "Gdańsk"),
        ({"breached": "true"}, "breached", True),
        ({"breached": "false"}, "breached", False),
    ],
)
def test_filters(client: TestClient, params: dict[str, str], field: str, expected: object) -> None:
    items = client.get("/incidents", params={**params, "page_size": 200}).json()["items"]

    assert items
    assert {item[field] for item in items} == {expected}


def test_all_words_of_a_search_must_occur(client: TestClient) -> None:
    items = client.get("/incidents", params={"q": "PALLETS tariff"}).json()["items"]

    assert items
    assert all("tariff" in item["summary"] and "pallets" in item["summary"] for item in items)
    assert total(client, q="PL-10001") == 1


@pytest.mark.parametrize("text", ["%", "_", "100%", "' OR 1=1 --", "!", "\\"])
def test_a_search_is_taken_literally(client: TestClient, text: str) -> None:
    assert total(client, q=text) == 0


def test_both_days_of_a_range_are_included(client: TestClient) -> None:
    params = {"opened_from": "2026-03-02", "opened_to": "2026-03-03", "page_size": "200"}
    items = client.get("/incidents", params=params).json()["items"]

    assert {item["opened_at"][:10] for item in items} == {"2026-03-02", "2026-03-03"}


@pytest.mark.parametrize(
    ("sort", "field", "descending"),
    [("-opened_at", "opened_at", True), ("opened_at", "opened_at", False),
     ("-cost_eur", "cost_eur", True)],
)  # fmt: skip
def test_orders(client: TestClient, sort: str, field: str, descending: bool) -> None:
    items = client.get("/incidents", params={"sort": sort, "page_size": 200}).json()["items"]
    values = [item[field] for item in items]

    assert values == sorted(values, reverse=descending)


def test_the_most_urgent_come_first(client: TestClient) -> None:
    query = "sort=priority&page_size=200&status=open&status=waiting"
    items = client.get(f"/incidents?{query}").json()["items"]
    ranks = [("critical", "high", "normal", "low").index(item["priority"]) for item in items]

    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1


def test_an_incident_is_reported_and_can_be_found(client: TestClient) -> None:
    answer = client.post("/incidents", json=NEW)
    made = answer.json()

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/incidents/{made['reference']}"
    assert made["due_at"] == "2026-03-18T22:30:00Z"
    assert (made["region"], made["team"], made["status"]) == ("Rhine", "Yard", "open")
    assert client.get(f"/incidents/{made['reference']}").json() == made
    assert client.get("/incidents").json()["items"][0]["reference"] == made["reference"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("depot", "Atlantis"), ("kind", "flood"), ("summary", " short  "), ("summary", "x" * 161),
        ("summary", "two\nlines of it"), ("cost_eur", -1), ("cost_eur", "NaN"),
        ("opened_at", "now"),
    ],
)  # fmt: skip
def test_a_report_that_is_not_valid_names_the_field(
    client: TestClient, field: str, value: object
) -> None:
    answer = client.post("/incidents", json={**NEW, field: value})

    assert answer.status_code == 422
    assert [item["loc"][-1] for item in answer.json()["detail"]] == [field]


@pytest.mark.parametrize("reference", ["PL-1", "10001", "PL-x", "PL-" + "9" * 40, "PL-²"])
def test_an_unknown_incident_is_404(client: TestClient, reference: str) -> None:
    assert client.get(f"/incidents/{reference}").status_code == 404
    assert client.patch(f"/incidents/{reference}", json={"revision": 0}).status_code == 404


def test_a_change_is_applied_and_logged(client: TestClient) -> None:
    made = client.post("/incidents", json=NEW).json()
    change = {"revision": 1, "status": "resolved", "priority": "low", "note": "Snow cleared"}

    changed = client.patch(f"/incidents/{made['reference']}", json=change).json()

    assert (changed["status"], changed["revision"]) == ("resolved", 2)
    assert changed["resolved_at"] == "2026-03-18T10:30:00Z"
    assert changed["due_at"] == "2026-03-23T10:30:00Z"
    assert [entry["text"] for entry in changed["log"]] == [
        "Reported at the desk", "Snow cleared", "Status: Open → Resolved", "Priority: high → low",
    ]  # fmt: skip


def test_reopening_forgets_when_it_was_resolved(client: TestClient) -> None:
    path = f"/incidents/{client.post('/incidents', json=NEW).json()['reference']}"
    client.patch(path, json={"revision": 1, "status": "resolved"})

    assert client.patch(path, json={"revision": 2, "status": "open"}).json()["resolved_at"] is None


def test_a_change_from_an_old_revision_is_a_conflict(client: TestClient) -> None:
    path = f"/incidents/{client.post('/incidents', json=NEW).json()['reference']}"
    first = client.patch(path, json={"revision": 1, "note": "One"})
    second = client.patch(path, json={"revision": 1, "note": "Two"})

    assert (first.status_code, second.status_code) == (200, 409)
    assert "Two" not in client.get(path).text


def test_a_change_that_changes_nothing_keeps_the_revision(client: TestClient) -> None:
    path = f"/incidents/{client.post('/incidents', json=NEW).json()['reference']}"

    assert client.patch(path, json={"revision": 1, "status": "open"}).json()["revision"] == 1


def test_a_download_holds_what_the_list_shows(client: TestClient) -> None:
    params = {"kind": "customs", "breached": "true"}
    answer = client.get("/incidents.csv", params=params)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "incidents-2026-03-18.csv" in answer.headers["content-disposition"]
    assert len(rows) == total(client, **params)
    assert {row["kind"] for row in rows} == {"customs"}


def test_a_download_does_not_carry_formulas(client: TestClient) -> None:
    client.post("/incidents", json={**NEW, "summary": '=HYPERLINK("http://x")'})

    assert "'=HYPERLINK" in client.get("/incidents.csv", params={"q": "HYPERLINK"}).text


def test_a_download_can_be_imported_elsewhere(client: TestClient) -> None:
    content = client.get("/incidents.csv", params={"opened_from": "2026-03-16"}).content

    report = client.post("/imports", content=content).json()

    assert report["rows"] == report["rejected"] > 0
    assert all("on the desk already" in row["problems"][0]["reason"] for row in report["rejects"])


def test_a_dry_run_is_the_default_and_writes_nothing(client: TestClient) -> None:
    before = total(client)
    answer = client.post("/imports", content=HEADER + GOOD + BAD)
    report = answer.json()

    assert answer.status_code == 200
    assert (report["dry_run"], report["accepted"], report["rejected"]) == (True, 1, 1)
    assert total(client) == before


def test_an_import_takes_the_good_rows_and_gives_back_the_others(client: TestClient) -> None:
    before = total(client)
    answer = client.post("/imports", params={"dry_run": False}, content=HEADER + GOOD + BAD)
    report = answer.json()
    (reference,) = report["references"]

    assert answer.status_code == 201
    assert (report["rows"], report["accepted"], report["rejected"]) == (2, 1, 1)
    assert report["rejects"][0]["values"]["depot"] == "Atlantis"
    assert total(client) == before + 1
    assert client.get(f"/incidents/{reference}").json()["opened_at"] == "2026-03-02T06:40:00Z"


def test_the_same_file_twice_is_imported_once(client: TestClient) -> None:
    first = client.post("/imports", params={"dry_run": False}, content=HEADER + GOOD).json()
    second = client.post("/imports", params={"dry_run": False}, content=HEADER + GOOD).json()

    assert (second["accepted"], second["rejected"], second["references"]) == (0, 1, [])
    assert first["references"][0] in second["rejects"][0]["problems"][0]["reason"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"\xff\xfe\xfa", 422),
        ((HEADER + GOOD).encode() + b"\xe9", 422),
        (b"x" * (imports.MAX_BYTES + 1), 413),
        ((HEADER + GOOD * (imports.MAX_ROWS + 1)).encode(), 413),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    client: TestClient, content: bytes, status: int
) -> None:
    answer = client.post("/imports", params={"dry_run": False}, content=content)

    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


def test_the_example_can_be_imported(client: TestClient) -> None:
    example = client.get("/imports/example.csv").content

    assert client.post("/imports", content=example).json()["rejected"] == 0


@pytest.mark.parametrize("params", [{"days": 0}, {"days": 91}, {"region": "Moon"}])
def test_an_overview_of_nothing_is_refused(
    client: TestClient, params: dict[str, str | int]
) -> None:
    assert client.get("/overview", params=params).status_code == 422


def test_the_overview(client: TestClient, now: datetime) -> None:
    found = client.get("/overview", params={"days": 7, "region": ["Rhine", "Baltic"]}).json()

    assert found["as_of"] == "2026-03-18T10:30:00Z"
    assert len(found["series"]) == 7
    assert found["current"]["opened"] > 0
    assert found["series"][-1]["day"] == now.date().isoformat()


def test_the_lifespan_makes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache" / "desk.sqlite3"
    monkeypatch.setitem(os.environ, "FLUXLIT_DEMO_DB", str(path))
    app = FastAPI(lifespan=api.lifespan)
    app.include_router(api.router)

    with TestClient(app) as client:
        assert path.exists()
        assert isinstance(app.state.desk, IncidentStore)
        assert total(client) > 3_000
