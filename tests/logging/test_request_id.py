from __future__ import annotations

import os

import pytest

from fluxlit.logging import is_well_formed, new_request_id


def test_ids_are_well_formed_and_never_the_same() -> None:
    made = [new_request_id() for _ in range(1000)]
    assert all(is_well_formed(each) and len(each) == 32 for each in made)
    assert len(set(made)) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_hands_out_ids_of_its_own() -> None:
    new_request_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_request_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    childs = os.read(reading, 100).decode()
    os.close(reading)
    assert len(childs) == 32
    assert childs not in [new_request_id() for _ in range(200)]
