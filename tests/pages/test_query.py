from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Literal, Self

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from tests.pages.fakes import FakeStreamlit
from typing_extensions import TypedDict

from fluxlit.pages.query import (
    parse_query_params,
    parse_query_params_adapter,
    query_dict_for_manifest,
)
from fluxlit.pages.session_state import SessionModel


class Filters(BaseModel):
    q: str = ""
    limit: int = Field(default=10, alias="n")
    tags: list[str] = []


class Wanted(TypedDict):
    sort: Literal["asc", "desc"]


class Required(BaseModel):
    q: str
    limit: int = 10


def test_a_model_is_read_with_lists_where_the_field_takes_many() -> None:
    st = FakeStreamlit(query_params={"q": ["ada"], "n": "5", "tags": ["a"]})
    assert parse_query_params(st, Filters) == Filters(q="ada", n=5, tags=["a"])
    assert st.errors == []


def test_a_malformed_value_is_shown_and_only_that_one_falls_back() -> None:
    st = FakeStreamlit(query_params={"q": "ada", "n": "five"})
    assert parse_query_params(st, Filters) == Filters(q="ada")
    told = "\n\n* the query parameter 'n' is wrong: input should be a valid integer"
    assert st.errors[0].startswith(f"Invalid query parameters:{told}")


class Closed(BaseModel, extra="forbid"):
    q: str = ""


def test_what_a_visitor_makes_up_is_not_markdown() -> None:
    st = FakeStreamlit(query_params={"[click](http://evil)": "1"})
    assert parse_query_params(st, Closed) == Closed()
    (told,) = st.errors
    assert r"'\[click\](http\://evil)' is wrong" in told


def test_strict_raises_and_shows_nothing() -> None:
    st = FakeStreamlit(query_params={"n": "five"})
    with pytest.raises(ValidationError):
        parse_query_params(st, Filters, strict=True)
    assert st.errors == []


def test_without_a_required_value_there_is_no_model() -> None:
    st = FakeStreamlit(query_params={"limit": "3"})
    with pytest.raises(ValidationError):
        parse_query_params(st, Required)
    assert len(st.errors) == 1


class Span(BaseModel):
    first: int = 1
    last: int = 9

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError("the first comes after the last")
        return self


def test_values_that_do_not_go_together_are_shown_and_all_fall_back() -> None:
    st = FakeStreamlit(query_params={"first": "5", "last": "3"})
    assert parse_query_params(st, Span) == Span()
    assert st.errors == ["Invalid query parameters:\n\n* the first comes after the last"]


def test_any_type_by_its_adapter() -> None:
    adapter = TypeAdapter(Wanted)
    st = FakeStreamlit(query_params={"sort": "asc"})
    assert parse_query_params_adapter(st, adapter) == {"sort": "asc"}
    wrong = FakeStreamlit(query_params={"sort": "up"})
    for strict in (True, False):
        with pytest.raises(ValidationError):
            parse_query_params_adapter(wrong, adapter, strict=strict)
    assert len(wrong.errors) == 1


def test_the_plain_values() -> None:
    st = FakeStreamlit(query_params={"a": "1", "b": ["2"], "c": ["3", "4"], "d": []})
    assert query_dict_for_manifest(st) == {"a": "1", "b": "2", "c": ["3", "4"]}


class Cart(BaseModel):
    items: list[str] = []
    note: str = ""


class Guarded(dict[str, Any]):
    """Refuses to write the key of a widget, as Streamlit does."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "note":
            raise RuntimeError
        super().__setitem__(name, value)


def test_session_state_is_read_and_written_as_a_model() -> None:
    st = SimpleNamespace(session_state={"items": ["book"], "other": 1})
    state = SessionModel(st)
    assert state.read_into(Cart) == Cart(items=["book"])
    state.write_from(Cart(items=["pen"], note="x"))
    assert st.session_state == {"items": ["pen"], "note": "x", "other": 1}
    with pytest.raises(ValidationError):
        SessionModel(SimpleNamespace(session_state={"items": 3})).read_into(Cart)


def test_the_key_of_a_widget_is_not_written_while_it_has_the_value() -> None:
    st = SimpleNamespace(session_state=Guarded(note="typed"))
    SessionModel(st).write_from(Cart(items=["pen"], note="typed"))
    assert st.session_state == {"items": ["pen"], "note": "typed"}


def test_first_values_do_not_replace_what_is_there() -> None:
    st = SimpleNamespace(session_state={"note": "typed"})
    SessionModel(st).setdefaults(Cart(items=["pen"], note="first"))
    assert st.session_state == {"items": ["pen"], "note": "typed"}


class Table:
    """Compares cell by cell, as pandas does."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


class Report(BaseModel, arbitrary_types_allowed=True):
    table: Table
    title: str = Field("", validation_alias="heading")


def _report(table: Table) -> Report:
    return Report.model_validate({"table": table, "heading": "Sales"})


def test_what_compares_cell_by_cell_is_written_when_it_is_another() -> None:
    one, other = Table(), Table()
    st = SimpleNamespace(session_state=Guarded(table=one, note=""))
    state = SessionModel(st)
    state.write_from(_report(one))
    assert st.session_state["table"] is one
    state.write_from(_report(other))
    assert st.session_state["table"] is other
    assert state.read_into(Report).title == "Sales"


def test_keys_beyond_the_fields_can_be_forbidden() -> None:
    class Open(BaseModel, extra="allow"): ...

    with pytest.raises(ValueError, match="Unexpected session keys: b"):
        SessionModel(SimpleNamespace(session_state={}), extra="forbid").write_from(Open(b=1))  # type: ignore[call-arg]
