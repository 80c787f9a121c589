"""What an heir heard beside the owner is kept once."""

from __future__ import annotations

from datetime import timedelta

from callops.engine.overlap import unseen
from tests.rows import NOON

KEY = b'{"type":"input_audio_buffer.dtmf_event_received","event":"1","received_at":1}'


def frame(name: str) -> bytes:
    return b'{"type":"x","event_id":"%s"}' % name.encode()


def ms(seconds: float) -> int:
    return round((NOON + timedelta(seconds=seconds)).timestamp() * 1000)


def test_what_the_owner_kept_is_left_out_and_the_rest_stays_in_order() -> None:
    stored = [(ms(-1), frame("a")), (ms(0), frame("b")), (ms(0.1), frame("c"))]
    heard = [(NOON, frame(name)) for name in "bcde"]

    assert [raw for _, raw in unseen(stored, heard)] == [frame("d"), frame("e")]


def test_a_key_has_no_id_and_is_left_out_as_often_as_it_was_kept() -> None:
    assert len(unseen([(ms(0), KEY)], [(NOON, KEY), (NOON, KEY)])) == 1


def test_what_was_kept_long_before_is_no_reason_to_leave_a_frame_out() -> None:
    assert unseen([(ms(-60), KEY)], [(NOON, KEY)]) == [(NOON, KEY)]
