from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fluxlit.demo import imports
from fluxlit.demo.catalog import Cargo, Kind, Priority

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)
HEADER = "opened_at,depot,kind,priority,cargo,summary,cost_eur\n"
GOOD = "2026-03-02 06:40,Rotterdam,temperature,high,Seafood,Trailer T-221 too warm,840.00\n"


def parse(text: str, encoding: str = "utf-8") -> imports.ParsedFile:
    return imports.parse(text.encode(encoding), NOW)


def reasons(parsed: imports.ParsedFile) -> dict[int, list[str]]:
    return {
        row.line: [f"{problem.column}: {problem.reason}" for problem in row.problems]
        for row in parsed.rejected
    }


def test_a_good_row() -> None:
    (incident,) = parse(HEADER + GOOD).accepted.values()

    assert incident.opened_at == datetime(2026, 3, 2, 6, 40, tzinfo=UTC)
    assert (incident.depot, incident.kind) == ("Rotterdam", Kind.TEMPERATURE)
    assert (incident.priority, incident.cargo) == (Priority.HIGH, Cargo.SEAFOOD)
    assert incident.cost_eur == 840


def test_the_example_is_good() -> None:
    parsed = parse(imports.EXAMPLE)

    assert (len(parsed.accepted), parsed.rejected) == (2, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, newline: str) -> None:
    text = HEADER + GOOD + GOOD.replace("Rotterdam", "Gdańsk").replace("06:40", "07:00")

    parsed = parse(text.replace("\n", newline), encoding)

    assert [incident.depot for incident in parsed.accepted.values()] == ["Rotterdam", "Gdańsk"]


@pytest.mark.parametrize(
    ("delimiter", "cost", "expected"),
    [(",", "1840.5", 1840.5), (";", "1.840,50", 1840.5), (";", "1840.5", 1840.5), ("\t", "7", 7)],
)
def test_delimiters_and_decimal_commas(delimiter: str, cost: str, expected: float) -> None:
    text = (HEADER + GOOD).replace("840.00", cost) if delimiter == "," else ""
    text = text or HEADER.replace(",", delimiter) + GOOD.replace(",", delimiter).replace(
        "840.00", cost
    )

    parsed = parse(text)

    assert parsed.delimiter == delimiter
    assert [incident.cost_eur for incident in parsed.accepted.values()] == [expected]


def test_spelling_of_the_vocabulary_is_forgiven() -> None:
    (incident,) = parse(
        HEADER + GOOD.replace("temperature", "Temperature").replace("Seafood", " SEAFOOD ")
    ).accepted.values()

    assert (incident.kind, incident.cargo) == (Kind.TEMPERATURE, Cargo.SEAFOOD)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Rotterdam", "Atlantis", "depot: unknown depot"),
        ("2026-03-02 06:40", "2026-13-02", "opened_at: month must be in 1..12"),
        ("2026-03-02 06:40", "", "opened_at: Invalid isoformat string: ''"),
        ("2026-03-02 06:40", "1926-03-02", "opened_at: must be a date of this century"),
        ("2026-03-02 06:40", "2026-03-18T10:31Z", "opened_at: lies in the future"),
        ("2026-03-02 06:40", "2026-03-18T05:31-05:00", "opened_at: lies in the future"),
        ("840.00", "-1", "cost_eur: Input should be greater than or equal to 0"),
        ("840.00", "nan", "cost_eur: Input should be a finite number"),
        ("Trailer T-221 too warm", "short", "summary: String should have at least 8 characters"),
        ("Trailer T-221", "Trailer\x1bT-221", "summary: must be one line without control"),
        (",840.00", "", ": the row has 6 cells, the header 7"),
        ("840.00", "840.00,extra", ": the row has 8 cells, the header 7"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(old: str, new: str, reason: str) -> None:
    parsed = parse(HEADER + GOOD.replace(old, new))

    assert parsed.accepted == {}
    assert reasons(parsed)[2][0].startswith(reason)


def test_every_line_is_taken_or_given_back_as_it_was() -> None:
    bad = "2026-03-02 06:41,Atlantis,flood,high,Seafood, x ,-3\n"
    parsed = parse(HEADER + GOOD + bad + "\n" + GOOD + "lone cell\n")

    assert list(parsed.accepted) == [2]
    assert [row.line for row in parsed.rejected] == [3, 5, 6]
    assert len(parsed.raw) == 4
    first = parsed.rejected[0]
    assert ",".join(first.values.values()) + "\n" == bad
    assert {problem.column for problem in first.problems} == {
        "depot", "kind", "summary", "cost_eur",
    }  # fmt: skip
    assert reasons(parsed)[5] == [": repeats line 2"]


def test_line_numbers_count_the_lines_of_quoted_cells() -> None:
    quoted = GOOD.replace("Trailer T-221 too warm", '"Trailer T-221\ntoo warm"')

    parsed = parse(HEADER + quoted + GOOD.replace("Rotterdam", "Atlantis"))

    assert list(reasons(parsed)) == [2, 4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        ((HEADER + GOOD.replace("Rotterdam", "Malmö")).encode("latin-1"), "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        (b"a\0b", "zero bytes"),
        (b"depot,kind\nBari,dock\n", "lacks opened_at, priority, cargo, summary"),
        ((HEADER.strip() + ",colour\n").encode(), "unknown columns: colour"),
        ((HEADER.strip() + ",depot\n").encode(), "twice"),
        ((HEADER + '"unfinished').encode(), "line 2 is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read(content: bytes, reason: str) -> None:
    with pytest.raises(imports.UnreadableFileError, match=reason):
        imports.parse(content, NOW)


def test_a_file_of_too_many_rows() -> None:
    with pytest.raises(imports.TooManyRowsError):
        parse(HEADER + GOOD * (imports.MAX_ROWS + 1))
