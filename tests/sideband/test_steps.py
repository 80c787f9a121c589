from __future__ import annotations

from callops.sideband.transcript import Transcript
from tests.sideband.recorded import (
    TRANSCRIPTION,
    added,
    assistant_begins,
    assistant_ends,
    assistant_says,
    at,
    caller_item,
    caller_says,
    fold,
    frame,
    message,
    only,
    piece,
    texts,
)

DTMF = "input_audio_buffer.dtmf_event_received"


def test_a_change_names_the_turn_and_tells_when_it_is_finished() -> None:
    talk = Transcript()

    begun = fold(talk, *assistant_begins("a", None))
    (said,) = fold(talk, piece("a", "Hello"))
    ended = fold(talk, *assistant_ends("a", "Hello there."))

    assert begun == []
    assert (said.turns, said.finished, said.removed, said.reordered) == (("a",), (), (), False)
    assert [change.finished for change in ended] == [(), ("a",)]
    assert only(talk).text == "Hello there."


def test_a_turn_begins_when_its_first_frame_arrived() -> None:
    talk = Transcript()

    fold(talk, frame("input_audio_buffer.speech_started", item_id="c"), seconds=1.5)
    fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" Hi"), seconds=3)

    assert only(talk).started_at == at(1.5)
    assert only(talk).started_at_ms == int(at(1.5).timestamp() * 1000)


def test_the_leading_space_of_pieces_is_not_part_of_the_text() -> None:
    talk = Transcript()

    fold(talk, *(frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=delta) for delta in (" Good", " morning", ".")))

    assert only(talk).text == "Good morning."


def test_recognised_text_replaces_the_pieces_and_late_pieces_are_ignored() -> None:
    talk = Transcript()

    fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" Helo"))
    (done,) = fold(talk, frame(f"{TRANSCRIPTION}.completed", item_id="c", transcript="Hello."))
    late = fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" oh"))

    assert done.finished == ("c",)
    assert late == []
    assert only(talk).text == "Hello."


def test_speech_nobody_could_recognise_is_a_final_turn_without_text() -> None:
    talk = Transcript()
    error = {"type": "transcription_error", "code": "audio_unintelligible", "message": "Not understood."}

    fold(talk, frame("input_audio_buffer.speech_started", item_id="c"), added(caller_item("c")))
    (failed,) = fold(talk, frame(f"{TRANSCRIPTION}.failed", item_id="c", content_index=0, error=error))

    turn = only(talk)
    assert failed.finished == ("c",)
    assert (turn.speaker, turn.text, turn.final, turn.partial) == ("caller", "", True, False)
    assert turn.detail["error"]["code"] == "audio_unintelligible"


def test_a_silent_caller_makes_no_turn() -> None:
    talk = Transcript()

    fold(talk, frame("input_audio_buffer.timeout_triggered", item_id="c"), added(caller_item("c")))

    assert talk.turns() == []
    assert talk.turn("c") is None
    assert talk.close(at(9)) == []


def test_a_caller_with_two_audio_parts_is_finished_when_both_are_recognised() -> None:
    talk = Transcript()
    audio = {"type": "input_audio", "transcript": None}

    fold(talk, added(message("c", "user", audio, audio)))
    fold(talk, frame(f"{TRANSCRIPTION}.completed", item_id="c", content_index=1, transcript="and more."))
    first = only(talk).final
    fold(talk, frame(f"{TRANSCRIPTION}.completed", item_id="c", content_index=0, transcript="Something"))

    assert not first
    assert (only(talk).text, only(talk).final) == ("Something and more.", True)


def test_written_answers_in_the_conversation_are_the_assistant_s_turns() -> None:
    talk = Transcript()
    about = {"response_id": "r", "item_id": "a", "content_index": 0}

    fold(talk, added(message("a", "assistant", status="in_progress")))
    fold(talk, frame("response.output_text.delta", delta="Sev", **about))
    fold(talk, frame("response.output_text.done", text="Seven o'clock.", **about))

    assert texts(talk) == [("assistant", "Seven o'clock.")]


def test_system_texts_are_no_turns_and_typed_texts_are_the_operator_s() -> None:
    talk = Transcript()

    fold(talk, added(message("s", "system", {"type": "input_text", "text": "Be brief."})))
    (typed,) = fold(talk, added(message("o", "user", {"type": "input_text", "text": "Ask for the name."}), "s"))

    assert typed.finished == ("o",)
    assert texts(talk) == [("operator", "Ask for the name.")]


def test_an_item_of_the_older_kind_of_announcement_is_ordered_as_well() -> None:
    talk = Transcript()

    fold(talk, *assistant_says("a", "Hello.", None), *assistant_says("b", "Seven.", "a", "resp_2"))
    fold(talk, frame("conversation.item.created", item=caller_item("c"), previous_item_id="a"))
    fold(talk, frame(f"{TRANSCRIPTION}.completed", item_id="c", transcript="When?"))

    assert texts(talk) == [("assistant", "Hello."), ("caller", "When?"), ("assistant", "Seven.")]


def test_order_is_by_item_and_not_by_arrival() -> None:
    talk = Transcript()

    fold(talk, *assistant_says("a1", "Hello.", None))
    fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" Hi"))
    moved = fold(talk, *assistant_says("a2", "How can I help?", "c", "resp_2"))
    fold(talk, *caller_says("c", "Hi.", "a1"))

    assert not any(change.removed for change in moved)
    assert [turn.item_id for turn in talk.turns()] == ["a1", "c", "a2"]
    assert talk.position("a1") < talk.position("c") < talk.position("a2")


def test_an_item_after_an_unknown_one_stands_at_the_end_until_that_one_is_placed() -> None:
    talk = Transcript()

    fold(talk, *assistant_says("a1", "One.", None), *assistant_says("a3", "Three.", "a2", "resp_3"))
    fold(talk, *assistant_says("a4", "Four.", "a1", "resp_4"))
    before = [turn.item_id for turn in talk.turns()]
    changes = fold(talk, *assistant_says("a2", "Two.", "a1", "resp_2"))

    assert before == ["a1", "a4", "a3"]
    assert any(change.reordered for change in changes)
    assert [turn.item_id for turn in talk.turns()] == ["a1", "a2", "a3", "a4"]


def test_what_done_says_about_order_is_not_used() -> None:
    talk = Transcript()

    fold(talk, *caller_says("c", "Hi.", None), *assistant_says("a", "Hello.", "c"))

    assert texts(talk) == [("caller", "Hi."), ("assistant", "Hello.")]


def test_a_deleted_item_is_removed_and_its_followers_keep_their_place() -> None:
    talk = Transcript()
    fold(talk, *assistant_says("a", "One.", None), *caller_says("c", "Two.", "a"))
    fold(talk, *assistant_says("b", "Three.", "c", "resp_2"))

    (change,) = fold(talk, frame("conversation.item.deleted", item_id="c"))
    late = fold(talk, frame(f"{TRANSCRIPTION}.delta", item_id="c", delta=" late"), *caller_says("c", "Two.", "a"))

    assert change.removed == ("c",)
    assert late == []
    assert texts(talk) == [("assistant", "One."), ("assistant", "Three.")]


def test_every_key_press_is_a_turn_where_it_was_pressed() -> None:
    talk = Transcript()
    fold(talk, *assistant_says("a", "Enter your number.", None), seconds=1)

    changes = [fold(talk, frame(DTMF, event=key, received_at=100), seconds=2 + n / 4) for n, key in enumerate("441")]
    fold(talk, *assistant_says("b", "Thanks.", "a", "resp_2"), seconds=4)

    assert [change.finished for (change,) in changes] == [("dtmf-1",), ("dtmf-2",), ("dtmf-3",)]
    assert [text for _, text in texts(talk)] == ["Enter your number.", "pressed 4", "pressed 4", "pressed 1", "Thanks."]
    assert talk.turns()[1].detail == {"dtmf": "4"}


def test_a_key_press_delivered_again_counts_once() -> None:
    talk = Transcript()
    press = frame(DTMF, event="5", received_at=100)

    fold(talk, press, press, seconds=1)
    fold(talk, press, seconds=9)
    fold(talk, frame(DTMF, event="5", received_at=109), seconds=9.5)

    assert [text for _, text in texts(talk)] == ["pressed 5", "pressed 5"]


def test_a_response_out_of_band_is_no_turn() -> None:
    talk = Transcript()
    about = {"response_id": "r", "item_id": "a", "content_index": 0}
    aside = {"id": "r", "status": "in_progress", "conversation_id": None}

    changes = fold(
        talk,
        frame("response.created", response=aside),
        frame("response.output_item.added", response_id="r", item=message("a", "assistant", status="in_progress")),
        frame("response.output_text.delta", delta="Summary", **about),
        frame("response.output_text.done", text="Summary.", **about),
        frame("response.done", response={**aside, "status": "completed"}),
    )

    assert changes == []
    assert talk.turns() == []


def test_a_response_that_turns_out_to_be_out_of_band_is_removed() -> None:
    talk = Transcript()
    fold(talk, frame("response.output_text.delta", response_id="r", item_id="a", delta="Summ"))

    (change,) = fold(talk, frame("response.done", response={"id": "r", "status": "completed", "conversation_id": None}))

    assert change.removed == ("a",)
    assert talk.turns() == []


def test_a_failed_response_finishes_its_turn_and_says_so() -> None:
    talk = Transcript()
    fold(talk, *assistant_begins("a", None), piece("a", "Let me"))

    failed = {"id": "resp_1", "status": "failed", "conversation_id": "conv_1"}
    (change,) = fold(talk, frame("response.done", response=failed))

    assert change.finished == ("a",)
    assert only(talk).detail["response_status"] == "failed"
    assert only(talk).text == "Let me"
