from __future__ import annotations

import hashlib

from streamlit import util
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import forward_msg_cache

from fluxlit._streamlit.hashing import LARGE, calc_hash, fastest, hash_quickly


def test_small_messages_are_named_as_ever_and_large_ones_by_their_whole_content() -> None:
    assert calc_hash("text") == util.calc_hash("text")
    assert calc_hash(b"x" * (LARGE - 1)) == util.calc_hash(b"x" * (LARGE - 1))
    large = bytearray(b"x" * LARGE)
    name = calc_hash(bytes(large))
    assert name == hashlib.new(fastest(), large).hexdigest()
    large[-1] = 0
    assert calc_hash(bytes(large)) != name


def test_streamlit_uses_it_and_still_marks_large_elements_as_cacheable() -> None:
    before = vars(forward_msg_cache)["util"]
    try:
        hash_quickly()
        message = ForwardMsg()
        message.delta.new_element.text.body = "x" * LARGE
        serialized = message.SerializeToString(deterministic=True)
        forward_msg_cache.populate_hash_if_needed(message)
    finally:
        vars(forward_msg_cache)["util"] = before
    assert message.hash == calc_hash(serialized)
    assert message.metadata.cacheable
