"""Who was heard last on a session, and who was speaking when the socket dropped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from callops.sideband.life import Life
from tests.rows import at

FIELDS = ("response_id", "call_id", "item_id", "item")


def frame(kind: str, **fields: Any) -> Any:
    return SimpleNamespace(type=kind, **{**dict.fromkeys(FIELDS), **fields})


def lived(*seen: tuple[str, float], opened: float | None = None) -> Life:
    """A session on which these frames came; `+` and `-` are the assistant's sound, `<` and `>` the caller's words."""
    kinds = {
        "+": "output_audio_buffer.started",
        "-": "output_audio_buffer.stopped",
        "x": "output_audio_buffer.cleared",
        "<": "input_audio_buffer.speech_started",
        ">": "input_audio_buffer.speech_stopped",
        "#": "input_audio_buffer.dtmf_event_received",
    }
    life = Life()
    if opened is not None:
        life.open(at(opened))
    for sign, seconds in seen:
        life.take(frame(kinds.get(sign, sign)), at(seconds))
    return life


@pytest.mark.parametrize(
    ("seen", "speaking"),
    [
        ([], (False, False)),
        ([("+", 1)], (False, True)),
        ([("+", 1), ("-", 3)], (False, False)),
        ([("+", 1), ("<", 2)], (True, True)),
        ([("+", 1), ("<", 2), ("x", 2.1)], (True, False)),
        ([("<", 2), (">", 4)], (False, False)),
        ([("<", 2), (">", 4), ("<", 5)], (True, False)),
    ],
)
def test_the_signs_say_who_is_speaking(seen: list[tuple[str, float]], speaking: tuple[bool, bool]) -> None:
    signs = lived(*seen).signs

    assert (signs.caller_speaking, signs.assistant_speaking) == speaking


def test_a_drop_keeps_who_was_speaking_and_opening_again_ends_it() -> None:
    life = lived(("+", 1), ("<", 2))

    life.drop()
    dropped = life.signs
    life.open(at(9))
    opened = life.signs

    assert (dropped.caller_speaking, dropped.assistant_speaking, dropped.busy) == (True, True, False)
    assert (opened.caller_speaking, opened.assistant_speaking) == (False, False)


def test_a_playback_whose_end_overtook_its_beginning_is_over() -> None:
    life = Life()

    life.take(frame("output_audio_buffer.stopped", response_id="resp_1"), at(1))
    life.take(frame("output_audio_buffer.started", response_id="resp_1"), at(1.1))

    assert not life.signs.assistant_speaking
    assert not life.playing


def test_only_the_caller_is_heard() -> None:
    assert lived(("+", 1), ("-", 2)).signs.heard_at is None
    assert lived(("+", 1), ("#", 2), ("<", 3)).signs.heard_at == at(2)
