from __future__ import annotations

from streamlit import util
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import forward_msg_cache

from fluxlit._streamlit.hashing import LARGE, calc_hash, hash_quickly


def test_small_messages_are_named_as_ever_and_large_ones_by_their_whole_content() -> None:
    assert calc_hash("text", seed=1) == util.calc_hash("text")
    assert calc_hash(b"x" * (LARGE - 1), seed=1) == util.calc_hash(b"x" * (LARGE - 1))
    large = bytes(LARGE)
    names = {
        calc_hash(large[:at] + b"\x01" + large[at + 1 :], seed=1) for at in range(0, LARGE, 97)
    }
    assert len(names) == len(range(0, LARGE, 97))
    assert calc_hash(large, seed=1) == calc_hash(large, seed=1) != calc_hash(large, seed=2)


def named(key: str) -> ForwardMsg:
    before = vars(forward_msg_cache)["util"]
    try:
        hash_quickly(key)
        message = ForwardMsg()
        message.delta.new_element.text.body = "x" * LARGE
        forward_msg_cache.populate_hash_if_needed(message)
    finally:
        vars(forward_msg_cache)["util"] = before
    return message


def test_streamlit_uses_it_with_the_secret_and_still_marks_large_elements_as_cacheable() -> None:
    message = named("ab" * 32)
    assert message.metadata.cacheable
    assert message.hash == named("ab" * 32).hash != named("cd" * 32).hash
