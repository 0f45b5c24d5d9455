from __future__ import annotations

import json
import logging
import sys
from datetime import date
from typing import Any

import pytest

from fluxlit.logging import JSON_LOG_BASE_FIELDS, JsonLogFormatter, log


def line(formatter: logging.Formatter, message: object = "hello %s", **extra: Any) -> Any:
    args = ("you",) if message == "hello %s" else ()
    record = logging.LogRecord("desk", logging.INFO, __file__, 1, message, args, None)
    record.__dict__.update(extra)
    text = formatter.format(record)
    assert "\n" not in text
    assert text.encode()
    return json.loads(text, parse_constant=pytest.fail)


def test_a_record_is_one_object_with_its_extras() -> None:
    found = line(JsonLogFormatter(), request_id="abc", _private=1, größe="ü")
    when = found.pop("time")
    assert when.endswith("+00:00")
    assert when[10] == "T"
    base = {"level": "INFO", "logger": "desk", "message": "hello you"}
    assert found == {**base, "request_id": "abc", "größe": "ü"}
    assert [*JSON_LOG_BASE_FIELDS] == ["time", "level", "logger", "message"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(b"\xc3\xbc\xff", "ü\ufffd"), (date(2030, 1, 2), "2030-01-02"), ({"a": [1]}, {"a": [1]})],
)
def test_values_of_any_kind_can_be_written(value: object, written: object) -> None:
    assert line(JsonLogFormatter(), it=value)["it"] == written
    assert "object at" in line(JsonLogFormatter(), it=object())["it"]


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "nan"),
        ([1.0, float("inf")], "[1.0, inf]"),
        ({("a", 1): 2}, "{('a', 1): 2}"),
        (CIRCLE, "[[...]]"),
        ("caf\udce9", "caf?"),
        (date, "<class 'datetime.date'>"),
    ],
)
def test_a_line_is_json_whatever_a_value_is(value: object, written: object) -> None:
    found = line(JsonLogFormatter(), it=value, other=b"x")
    assert (found["it"], found["other"], found["message"]) == (written, "x", "hello you")


def test_an_extra_does_not_pass_for_a_base_field() -> None:
    assert line(JsonLogFormatter(), level="HARMLESS", time="never")["level"] == "INFO"


def test_an_exception_is_told() -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        found = line(JsonLogFormatter(), exc_info=sys.exc_info())
    assert "ValueError: bad" in found["exception"]
    assert "exc_info" not in found


def test_defaults_form_of_the_time_and_more_fields_can_be_said() -> None:
    formatter = JsonLogFormatter("%(process)d", "%Y", defaults={"service": "desk"})
    found = line(formatter)
    assert found["service"] == "desk"
    assert len(found["time"]) == 4
    assert isinstance(found["process"], int)


def test_a_message_that_is_an_object_is_spread() -> None:
    assert line(JsonLogFormatter(), {"message": "m", "n": 1}) | {"time": ""} == {
        "time": "", "level": "INFO", "logger": "desk", "message": "m", "n": 1,
    }  # fmt: skip


def test_the_parent_of_all_loggers() -> None:
    assert log.name == "fluxlit"
