from __future__ import annotations

import json
from pathlib import Path

from fluxlit.workers.spec import WorkerSpec

SPEC = WorkerSpec(
    target="app:app",
    run_directory="/run/x",
    development=True,
    workers=4,
    overrides={"gateway_port": 1, "trust_proxy": True},
    search_path=["/src"],
    cookie_secret="s3cret",
)


def test_it_crosses_the_border_as_json_and_comes_back_equal() -> None:
    assert WorkerSpec.from_message(json.loads(json.dumps(SPEC.to_message()))) == SPEC


def test_a_key_of_another_version_is_passed_over() -> None:
    assert WorkerSpec.from_message({**SPEC.to_message(), "colour": "red"}) == SPEC


def test_one_of_several_differs_in_its_place_alone() -> None:
    placed = SPEC.for_place(2, generation=7, row=5)
    assert (placed.slot, placed.generation, placed.row) == (2, 7, 5)
    assert placed.for_place(0, generation=0, row=0) == SPEC
    assert SPEC.in_directory(Path("/run/y")).run_directory == "/run/y"


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(SPEC)
