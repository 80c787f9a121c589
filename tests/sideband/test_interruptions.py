from __future__ import annotations

from callops.sideband.transcript import Transcript
from tests.sideband.recorded import (
    SPEECH,
    TRANSCRIPTION,
    added,
    assistant_begins,
    assistant_ends,
    assistant_says,
    at,
    fold,
    frame,
    message,
    only,
    piece,
    texts,
)


def barge_in(text: str, heard_ms: int | None, *, pace_known: bool) -> Transcript:
    talk = Transcript()
    if pace_known:
        fold(talk, *assistant_says("greeting", "x" * 40, None, "resp_0"))
        fold(talk, frame("output_audio_buffer.started", response_id="resp_0"), seconds=0)
        fold(talk, frame("output_audio_buffer.stopped", response_id="resp_0"), seconds=4)
    fold(talk, *assistant_begins("a", None), piece("a", text), seconds=10)
    fold(talk, frame("output_audio_buffer.started", response_id="resp_1"), seconds=11)
    fold(talk, frame("output_audio_buffer.cleared", response_id="resp_1"), seconds=12)
    if heard_ms is not None:
        fold(
            talk, frame("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=heard_ms), seconds=12
        )
    return talk


TEN = "one two three four five six seven eight nine ten"


def test_what_the_caller_never_heard_is_marked_at_a_word() -> None:
    turn = barge_in(TEN, 1000, pace_known=False).turn("a")

    assert turn is not None
    assert turn.heard_chars is not None
    assert TEN[: turn.heard_chars] == "one two three"
    assert (turn.text, turn.final, turn.partial) == (TEN, True, False)


def test_the_pace_is_measured_on_what_was_played_to_its_end() -> None:
    turn = barge_in(TEN, 2000, pace_known=True).turn("a")

    assert turn is not None
    assert TEN[: turn.heard_chars] == "one two three four"


def test_playback_that_is_reported_again_is_not_measured_again() -> None:
    talk = barge_in(TEN, None, pace_known=True)

    fold(talk, frame("output_audio_buffer.started", response_id="resp_0"), seconds=20)
    fold(talk, frame("output_audio_buffer.stopped", response_id="resp_0"), seconds=22)
    fold(talk, frame("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=2000), seconds=23)

    turn = talk.turn("a")
    assert turn is not None
    assert TEN[: turn.heard_chars] == "one two three four"


def test_playback_thrown_away_without_truncation_counts_by_the_time_it_lasted() -> None:
    turn = barge_in(TEN, None, pace_known=False).turn("a")

    assert turn is not None
    assert TEN[: turn.heard_chars] == "one two three"
    assert not turn.final


def test_text_written_without_spaces_is_cut_at_the_character() -> None:
    turn = barge_in("停電は四十五分後に復旧する見込みです", 400, pace_known=False).turn("a")

    assert turn is not None
    assert turn.heard_chars == 6


def test_text_that_comes_after_the_cut_is_kept_and_unheard() -> None:
    talk = barge_in(TEN, 1000, pace_known=False)

    fold(talk, piece("a", " eleven"), frame(f"{SPEECH}.done", item_id="a", transcript=f"{TEN} eleven"))

    turn = talk.turn("a")
    assert turn is not None
    assert (turn.text, turn.heard_chars) == (f"{TEN} eleven", len("one two three"))


def test_a_truncation_longer_than_the_text_means_all_was_heard() -> None:
    turn = barge_in(TEN, 60_000, pace_known=False).turn("a")

    assert turn is not None
    assert turn.heard_chars == len(TEN)


def test_attached_in_the_middle_of_a_turn_its_text_is_partial_until_the_whole_one_comes() -> None:
    talk = Transcript()

    fold(talk, piece("a", " with you."))
    middle = only(talk)
    fold(talk, *assistant_ends("a", "I'm with you."))

    assert (middle.text, middle.partial, middle.final) == ("with you.", True, False)
    assert (only(talk).text, only(talk).partial, only(talk).final) == ("I'm with you.", False, True)


def test_attached_before_an_item_s_first_word_nothing_is_partial() -> None:
    talk = Transcript()

    fold(talk, added(message("a", "assistant", status="in_progress"), "unknown"), piece("a", "I'm"))

    assert not only(talk).partial


def test_after_a_drop_the_whole_text_still_replaces_what_was_collected() -> None:
    talk = Transcript()
    fold(talk, *assistant_begins("a", None), piece("a", "I'm"))

    closed = talk.close(at(5))
    dropped = only(talk)
    fold(talk, piece("a", " you."))
    changes = fold(talk, *assistant_ends("a", "I'm with you."))

    assert closed == ["a"]
    assert (dropped.text, dropped.final, dropped.partial) == ("I'm", True, True)
    assert dropped.detail == {"dropped_at": at(5).isoformat()}
    assert changes[0].finished == ("a",)
    assert (only(talk).text, only(talk).partial, only(talk).detail) == ("I'm with you.", False, {})


def test_a_drop_after_the_whole_text_leaves_nothing_partial() -> None:
    talk = Transcript()
    fold(talk, *assistant_begins("a", None), assistant_ends("a", "All of it.")[0])

    assert talk.close(at(5)) == ["a"]
    assert (only(talk).final, only(talk).partial) == (True, False)


def test_a_retrieved_item_brings_the_text_that_was_missed() -> None:
    talk = Transcript()
    fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" out."))

    item = message("c", "user", {"type": "input_audio", "transcript": "My power went out."})
    (change,) = fold(talk, frame("conversation.item.retrieved", item=item))

    assert change.finished == ("c",)
    assert texts(talk) == [("caller", "My power went out.")]
