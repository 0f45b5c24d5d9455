from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from fluxlit.client import ApiError
from fluxlit.demo.catalog import Cargo, Kind, Priority, Status
from fluxlit.demo.models import Incident
from fluxlit.demo.pages import frame
from fluxlit.exceptions import FluxLitError

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("euros", "text"),
    [(0, "€ 0"), (9_999.4, "€ 9,999"), (10_000, "€ 10k"), (999_499, "€ 999k"),
     (999_500, "€ 1.00M"), (2_016_832, "€ 2.02M")],
)  # fmt: skip
def test_money(euros: float, text: str) -> None:
    assert frame.money(euros) == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.75, "45 min"), (7.54, "7.5 h"), (47.9, "47.9 h"), (60, "2.5 days"), (480, "20 days")],
)
def test_span(hours: float, text: str) -> None:
    assert frame.span(hours) == text


@pytest.mark.parametrize(
    ("due_in", "resolved_in", "text"),
    [(2, None, "in 2.0 h"), (-3, None, "overdue by 3.0 h"), (4, 1, "3.0 h early"),
     (1, 4, "3.0 h late")],
)  # fmt: skip
def test_due(due_in: float, resolved_in: float | None, text: str) -> None:
    incident = Incident(
        reference="PL-1", opened_at=NOW, due_at=NOW + timedelta(hours=due_in),
        resolved_at=None if resolved_in is None else NOW + timedelta(hours=resolved_in),
        status=Status.OPEN, priority=Priority.HIGH, kind=Kind.DOCK, depot="Bari",
        cargo=Cargo.DAIRY, summary="Dock 3 blocked", cost_eur=0, breached=False, revision=0,
    )  # fmt: skip

    assert frame.due(incident, NOW) == text


def answer(status: int, body: object) -> ApiError:
    request = httpx2.Request("POST", "http://api.test/incidents")
    return ApiError.from_response(httpx2.Response(status, json=body, request=request))


def test_the_reason_of_a_refusal_is_the_apis_own() -> None:
    assert frame.reason(answer(409, {"detail": "changed meanwhile"})) == "changed meanwhile"


def test_the_reason_of_a_form_that_is_not_valid_names_its_fields() -> None:
    detail = [{"loc": ["body", "summary"], "msg": "too short"}, {"loc": ["body"], "msg": "odd"}]

    assert frame.reason(answer(422, {"detail": detail})) == "summary: too short; body: odd"


def test_an_error_without_an_explanation_is_shown_as_it_is() -> None:
    error = answer(502, ["bad gateway"])

    assert frame.reason(error) == str(error)
    assert frame.reason(FluxLitError("the API is away")) == "the API is away"
