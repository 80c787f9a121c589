from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callops.sideband.transcript import Transcript, TurnState, UnreadableFold
from tests.sideband.recorded import (
    SPEECH,
    TRANSCRIPTION,
    Timed,
    assistant_says,
    at,
    call,
    fold,
    folded,
    frame,
    frames,
    only,
)

CALLS = ["sideband-call", "sideband-call-transferred"]
RECORDED = {name: frames(name) for name in CALLS}
DTMF = "input_audio_buffer.dtmf_event_received"


def expected(name: str) -> list[tuple[str, str]]:
    """What was said, read straight from the recording: whole texts by item, in the order of `previous_item_id`."""
    events = [row["event"] for row in call(name)]
    said: dict[str, tuple[str, str]] = {}
    for event in events:
        kind = event["type"]
        if kind == f"{TRANSCRIPTION}.completed":
            said[event["item_id"]] = ("caller", event["transcript"])
        elif kind == f"{SPEECH}.done":
            said[event["item_id"]] = ("assistant", event["transcript"])
        elif kind == "response.function_call_arguments.done":
            said[event["item_id"]] = ("tool", f"{event['name']}({event['arguments']})")
    follows = {e["previous_item_id"]: e["item"]["id"] for e in events if e["type"] == "conversation.item.added"}
    order, last = [], follows.get(None)
    while last is not None:
        order.append(last)
        last = follows.get(last)
    return [said[item_id] for item_id in order if item_id in said]


def spoken(talk: Transcript) -> list[tuple[str, str]]:
    """Who said what, but for key presses."""
    return [(turn.speaker, turn.text) for turn in talk.turns() if "dtmf" not in turn.detail]


def test_the_recorded_call_comes_out_word_for_word() -> None:
    talk = folded(RECORDED["sideband-call"])

    assert spoken(talk)[:-1] == expected("sideband-call")
    assert spoken(talk)[-1] == ("assistant", "Yes, I'm still here with you. Let")
    assert [turn.final for turn in talk.turns()].count(False) == 1


def test_the_transferred_call_comes_out_word_for_word() -> None:
    talk = folded(RECORDED["sideband-call-transferred"])

    assert spoken(talk) == expected("sideband-call-transferred")
    assert all(turn.final and not turn.partial for turn in talk.turns())


def test_the_socket_drop_at_the_end_of_the_recorded_call_makes_its_last_turn_partial() -> None:
    talk = folded(RECORDED["sideband-call"])

    touched = talk.close(at(83.471))

    last = talk.turns()[-1]
    assert touched == [last.item_id]
    assert (last.final, last.partial, last.text) == (True, True, "Yes, I'm still here with you. Let")
    assert not any(turn.partial for turn in talk.turns()[:-1])


@pytest.mark.parametrize("name", CALLS)
def test_a_call_cut_at_any_frame_keeps_a_true_beginning_of_every_turn(name: str) -> None:
    whole = {turn.item_id: turn.text for turn in folded(RECORDED[name]).turns()}
    order = list(whole)
    talk = Transcript()

    for one, when in RECORDED[name]:
        talk.fold(one, when)
        cut = Transcript.load(talk.dump())
        cut.close(when)
        ids = [turn.item_id for turn in cut.turns()]
        assert ids == [item_id for item_id in order if item_id in ids]
        for turn in cut.turns():
            assert turn.final
            text = turn.text.removesuffix(")") if turn.speaker == "tool" else turn.text
            assert whole[turn.item_id].startswith(text)
            assert turn.partial or turn.text == whole[turn.item_id]


@pytest.mark.parametrize("name", CALLS)
def test_a_successor_that_loads_the_dump_goes_on_as_if_nothing_had_happened(name: str) -> None:
    talk, calls, changes = Transcript(), [], []
    alone, lone_calls, lone_changes = Transcript(), [], []

    for number, (one, when) in enumerate(RECORDED[name]):
        if number % 25 == 0:
            talk = Transcript.load(talk.dump())
        changes.append(talk.fold(one, when))
        calls.append(talk.finished_call(one))
        lone_changes.append(alone.fold(one, when))
        lone_calls.append(alone.finished_call(one))

    assert talk.turns() == alone.turns()
    assert changes == lone_changes
    assert calls == lone_calls


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_frames_delivered_again_change_nothing(data: st.DataObject) -> None:
    some = RECORDED["sideband-call"]
    again = st.dictionaries(st.integers(0, len(some) - 1), st.integers(0, 400), max_size=60)
    back = data.draw(again)
    talk = Transcript()

    for number, (one, when) in enumerate(some):
        talk.fold(one, when)
        earlier, then = some[max(0, number - back[number])] if number in back else (one, when)
        late = (when - then).total_seconds()
        if earlier.type != DTMF or late == 0 or late > 2:
            assert talk.fold(earlier, when) is None

    assert talk.turns() == folded(some).turns()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_transcription_may_fall_anywhere_between_the_other_frames(data: st.DataObject) -> None:
    some = [timed for timed in RECORDED["sideband-call"] if timed[0].type != DTMF]
    recognised = [timed for timed in some if timed[0].type.startswith(TRANSCRIPTION)]
    others = [timed for timed in some if not timed[0].type.startswith(TRANSCRIPTION)]
    places = sorted(
        data.draw(st.lists(st.integers(0, len(others)), min_size=len(recognised), max_size=len(recognised)))
    )
    mixed: list[Timed] = list(others)
    for place, timed in reversed(list(zip(places, recognised, strict=True))):
        mixed.insert(place, timed)

    def story(talk: Transcript) -> list[tuple[Any, ...]]:
        return [(turn.item_id, turn.speaker, turn.text, turn.final, turn.partial) for turn in talk.turns()]

    assert story(folded(mixed)) == story(folded(some))


def test_frames_without_the_fields_they_should_have_change_nothing() -> None:
    talk = Transcript()
    kinds = {one.type for some in RECORDED.values() for one, _ in some} | {"conversation.item.truncated", "made.up"}

    assert fold(talk, *(frame(kind) for kind in sorted(kinds))) == []
    assert talk.turns() == []


def test_a_dump_that_is_none_is_refused_and_an_empty_one_is_a_new_fold() -> None:
    assert Transcript.load(b"").turns() == []
    with pytest.raises(UnreadableFold):
        Transcript.load(b"\x81\xa4fold\xa3old")
    with pytest.raises(UnreadableFold):
        Transcript.load(b"\xff\x00")


def test_turns_handed_out_are_copies() -> None:
    talk = Transcript()
    fold(talk, *assistant_says("a", "Hello.", None))

    turn: TurnState = only(talk)
    turn.detail["mine"] = True

    assert "mine" not in only(talk).detail
