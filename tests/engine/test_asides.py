"""Questions nobody on the call hears: how they are asked, and how the answer is known among all other frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callops.engine.asides import Summary, is_aside, summary_in, summary_question
from callops.engine.folding import Folder
from callops.providers.openai.frames import decode
from tests.sideband.recorded import at

TEXT = "The power is out in Birchwood Avenue."
PARTS = [{"type": "output_text", "text": TEXT}]


def done(**fields: Any) -> dict[str, Any]:
    response = {
        "id": "resp_aside",
        "status": "completed",
        "conversation_id": None,
        "output": [{"id": "item_1", "type": "message", "role": "assistant", "content": PARTS}],
        "metadata": {"purpose": "summary", "transfer": "T1"},
    }
    return {"type": "response.done", "event_id": "event_1", "response": {**response, **fields}}


def read(frame: dict[str, Any]) -> Summary | None:
    return summary_in(decode(json.dumps(frame)))


def test_the_question_stays_out_of_the_conversation_and_is_answered_in_text() -> None:
    event = summary_question("T1")

    assert event["type"] == "response.create"
    assert event["response"]["conversation"] == "none"
    assert event["response"]["output_modalities"] == ["text"]
    assert event["response"]["tool_choice"] == "none"
    assert event["response"]["metadata"] == {"purpose": "summary", "transfer": "T1"}


def test_the_answer_is_known_by_its_metadata() -> None:
    assert read(done()) == Summary("T1", TEXT)


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": None},
        {"metadata": {"purpose": "operator"}},
        {"conversation_id": "conv_1"},
        {"status": "failed"},
        {"status": "incomplete"},
        {"output": []},
        {"output": None},
        {"output": ["text", None, {"content": "text"}, {"content": [None, {"text": 7}]}]},
    ],
)
def test_every_other_response_is_no_summary(fields: dict[str, Any]) -> None:
    assert read(done(**fields)) is None


def test_a_frame_of_another_type_is_no_summary() -> None:
    assert read({**done(), "type": "response.created"}) is None


def fold(*frames: dict[str, Any]) -> Folder:
    folder = Folder(session_id=1, call_id="C1", position_base=0)
    for frame in frames:
        folder.take(json.dumps(frame).encode(), at(0))
    return folder


def aside() -> list[dict[str, Any]]:
    item = {"id": "item_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    named = {"response_id": "resp_aside", "item_id": "item_1", "content_index": 0, "output_index": 0}
    begun = {**done()["response"], "status": "in_progress", "output": []}
    return [
        {"type": "response.created", "event_id": "event_2", "response": begun},
        {"type": "response.output_item.added", "event_id": "event_3", "response_id": "resp_aside", "item": item},
        {"type": "response.output_text.delta", "event_id": "event_4", **named, "delta": TEXT},
        {"type": "response.output_text.done", "event_id": "event_5", **named, "text": TEXT},
        done(),
    ]


def test_the_answer_is_handed_out_once_and_is_no_turn() -> None:
    folder = fold(*aside())

    taken = folder.take_batch()

    assert taken.summaries == [Summary("T1", TEXT)]
    assert not taken.batch.turns
    assert [event.kind for event in taken.batch.events] == []
    assert len(taken.batch.frames) == 5
    assert folder.take_batch().summaries == []


def test_a_successor_hands_out_what_its_predecessor_may_not_have() -> None:
    folder = Folder(session_id=1, call_id="C1", position_base=0)

    folder.replay([(0, json.dumps(frame).encode()) for frame in aside()])

    assert folder.has_news
    assert folder.take_batch().summaries == [Summary("T1", TEXT)]


def test_an_answer_beside_the_conversation_does_not_end_what_the_assistant_is_saying() -> None:
    speaking = {"id": "resp_1", "status": "in_progress", "conversation_id": "conv_1", "output": []}

    folder = fold({"type": "response.created", "event_id": "event_9", "response": speaking}, *aside())

    assert folder.responding
    assert is_aside(decode(json.dumps(aside()[0])))
