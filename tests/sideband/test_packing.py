"""What was packed comes back as it was, and a few frames take little room."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.privacy.sealing import unseal
from callops.sideband.packing import packed, unpacked
from tests.sideband.recorded import call as recorded

values = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
frames = st.lists(st.tuples(st.integers(0, 2**45), values.map(lambda value: json.dumps(value).encode())))


@given(frames)
def test_whatever_was_read_comes_back_in_order(read: list[tuple[int, bytes]]) -> None:
    assert list(unpacked(packed(read))) == read


def test_three_frames_of_live_speech_take_less_than_they_would_without_the_words_all_frames_share() -> None:
    spoken = [json.dumps(row["event"]).encode() for row in recorded("sideband-call")]
    deltas = [(1_790_000_000_000, raw) for raw in spoken if b"transcript.delta" in raw][:3]

    assert len(unseal(packed(deltas))) < 0.75 * len(zlib.compress(b"\n".join(raw for _, raw in deltas), 9))


def test_what_was_packed_with_other_words_is_refused_and_not_misread() -> None:
    press = zlib.compressobj(zdict=b"other words")
    value = press.compress(b'{"t":1,"f":{}}') + press.flush()

    with pytest.raises(zlib.error):
        list(unpacked(value))
