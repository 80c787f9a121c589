"""What is sent for an act, and how the assistant's side is heard to answer it. Pure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callops.engine.hearing_acts import ActEar
from callops.engine.intervening import events
from callops.providers.openai import frames
from callops.supervision.models import Act, Intervention, Step
from callops.supervision.progress import Told
from tests.rows import at

ID = "01jdm3x0000000000000000000"


def act(kind: Act, text: str = "") -> Intervention:
    return Intervention(pk=ID, act=kind, text=text)


def heard(ear: ActEar, *, quiet: bool = True, **frame: Any) -> list[Told]:
    return ear.take(frames.decode(json.dumps(frame)), at(0), quiet=quiet)


def session(*, answers: bool) -> dict[str, Any]:
    return {
        "type": "realtime",
        "audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": answers}}},
    }


def test_only_the_first_event_of_an_act_carries_its_name() -> None:
    sent = events(act(Act.PAUSE), responding=True, playing=True)

    assert [each["type"] for each in sent] == ["session.update", "response.cancel", "output_audio_buffer.clear"]
    assert [each.get("event_id") for each in sent] == [f"act-{ID}", None, None]
    detection = sent[0]["session"]["audio"]["input"]["turn_detection"]
    assert (detection["create_response"], detection["interrupt_response"]) == (False, False)


@pytest.mark.parametrize(("responding", "playing", "count"), [(False, False, 1), (False, True, 2), (True, False, 3)])
def test_a_pause_stops_only_what_goes_on(responding: bool, playing: bool, count: int) -> None:
    assert len(events(act(Act.PAUSE), responding=responding, playing=playing)) == count


def test_a_whisper_has_our_id_and_asks_nobody_to_speak() -> None:
    (sent,) = events(act(Act.WHISPER, "Offer a refund."), responding=True, playing=True)

    assert sent["item"]["id"] == f"whisp-{ID}"
    assert len(sent["item"]["id"]) <= 32
    assert sent["item"]["role"] == "system"


def test_a_whisper_is_seen_when_the_assistant_answers_next_and_not_by_an_aside() -> None:
    ear = ActEar()

    added = heard(ear, type="conversation.item.added", item={"id": f"whisp-{ID}", "type": "message", "role": "system"})
    aside = heard(ear, type="response.created", response={"id": "r0", "conversation_id": None})
    answer = heard(ear, type="response.created", response={"id": "r1", "conversation_id": "conv_1"})

    assert (added, aside, answer) == ([Told(Step.ACKNOWLEDGED, ID)], [], [Told(Step.SEEN, ID)])


def test_words_are_acknowledged_by_their_response_and_seen_when_the_caller_begins_to_hear_them() -> None:
    ear = ActEar()
    response = {"id": "r1", "conversation_id": "conv_1", "metadata": {"source": "operator", "intervention": ID}}

    begun = heard(ear, type="response.created", response=response)
    other = heard(ear, type="output_audio_buffer.started", response_id="r0")
    sound = heard(ear, type="output_audio_buffer.started", response_id="r1")

    assert (begun, other, sound) == ([Told(Step.ACKNOWLEDGED, ID)], [], [Told(Step.SEEN, ID)])


def test_a_pause_is_seen_once_nothing_is_made_and_nothing_plays() -> None:
    ear = ActEar()

    updated = heard(ear, quiet=False, type="session.updated", session=session(answers=False))
    cleared = heard(ear, type="output_audio_buffer.cleared", response_id="r1")

    assert updated == [Told(Step.ACKNOWLEDGED, act=Act.PAUSE, at=at(0))]
    assert cleared == [Told(Step.SEEN, act=Act.PAUSE, at=at(0))]
    assert ear.paused
    heard(ear, type="session.updated", session=session(answers=True))
    assert not ear.paused


def test_an_error_that_names_our_event_is_a_refusal_in_its_words() -> None:
    ear = ActEar()
    ours = {"event_id": f"act-{ID}", "message": "No.", "code": "invalid_value", "type": "invalid_request_error"}

    assert heard(ear, type="error", error=ours) == [Told(Step.REFUSED, ID, why="No.")]
    assert heard(ear, type="error", error={**ours, "event_id": None}) == []
