"""The conversations: faithful events in the recorded order, at believable times."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from callops.simulator.openai.conversations import CONVERSATIONS, UnknownConversation, conversation
from callops.simulator.openai.cues import Cue
from tests.simulator.openai.shapes import known_shapes, shape

IDS = {"session_id": "sess_u1_Test", "conversation_id": "conv_Test"}
WRITTEN = sorted(set(CONVERSATIONS) - {"outage_transfer"})
AROUND_ONE_TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
    "output_audio_buffer.stopped",
]


def events(name: str) -> list[Cue]:
    return conversation(name).events(**IDS)


def kinds(cues: list[Cue]) -> list[str]:
    return [cue.type for cue in cues]


def recorded(contracts: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (contracts / "openai/sideband-call.jsonl").read_text().splitlines()]


def without_ids(event: dict[str, Any]) -> str:
    """An event as text, with ids by their kind only and times of the wall clock left out."""
    text = json.dumps({key: value for key, value in event.items() if key != "received_at"}, sort_keys=True)
    text = re.sub(r'"expires_at": \d+', '"expires_at": 0', text)
    return re.sub(r"\b(event|item|resp|conv|call|sess)_\w+", r"\1", text)


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(UnknownConversation, match="billing_short"):
        conversation("nothing")


@pytest.mark.parametrize("name", sorted(CONVERSATIONS))
def test_every_event_has_the_shape_of_an_example(name: str, contracts: Path) -> None:
    known = known_shapes(contracts)

    for cue in events(name):
        assert shape(cue.event) in known[cue.type], cue.event


@pytest.mark.parametrize("name", sorted(CONVERSATIONS))
def test_events_are_in_order_and_their_ids_are_their_own(name: str) -> None:
    first, second = events(name), events(name)

    assert [cue.at_s for cue in first] == sorted(cue.at_s for cue in first)
    ids = [cue.event["event_id"] for cue in first + second if "event_id" in cue.event]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(CONVERSATIONS))
def test_items_form_one_chain_and_deltas_make_the_final_text(name: str) -> None:
    last, texts = None, dict[str, str]()
    for cue in events(name):
        event = cue.event
        if cue.type == "conversation.item.added":
            assert event["previous_item_id"] == last
            last = event["item"]["id"]
        if cue.type.endswith(".delta"):
            texts[event["item_id"]] = texts.get(event["item_id"], "") + event["delta"]
            assert len(event["delta"] + event["obfuscation"]) % 16 == 0
        if cue.type.endswith(("output_audio_transcript.done", "transcription.completed")):
            assert texts[event["item_id"]].strip() == event["transcript"]
        if cue.type.endswith("arguments.done"):
            assert texts[event["item_id"]] == event["arguments"]


def test_the_recording_is_played_verbatim(contracts: Path) -> None:
    played, lines = events("outage_transfer"), recorded(contracts)

    assert [cue.at_s for cue in played] == [line["t"] for line in lines]
    assert [without_ids(cue.event) for cue in played] == [without_ids(line["event"]) for line in lines]


def test_a_turn_follows_the_recorded_order() -> None:
    turn = kinds(events("billing_short"))
    begins = turn.index("input_audio_buffer.speech_started")
    plain = [kind for kind in turn[begins:] if not kind.endswith(("delta", "completed", "started")) or "speech" in kind]

    assert plain[: len(AROUND_ONE_TURN)] == AROUND_ONE_TURN


def test_transcripts_run_ahead_of_the_sound() -> None:
    cues = events("billing_short")
    sound = [cue.at_s for cue in cues if cue.type.startswith("output_audio_buffer.")]
    done = [cue.at_s for cue in cues if cue.type == "response.done"]

    for started, stopped, generated in zip(sound[::2], sound[1::2], done, strict=True):
        assert started < generated < stopped


def test_a_caller_who_interrupts_cuts_the_running_response() -> None:
    cues = events("barge_in")
    at = kinds(cues).index("output_audio_buffer.cleared")

    assert kinds(cues)[at - 1] == "input_audio_buffer.speech_started"
    assert kinds(cues)[at + 1 : at + 9] == [
        "conversation.item.truncated",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    broken = cues[at + 7].event["response"]
    assert (broken["status"], broken["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert broken["usage"]["total_tokens"] > 0
    assert cues[at + 1].event["audio_end_ms"] == 2600


def test_an_interruption_after_generation_only_clears_and_truncates() -> None:
    cues = events("barge_in")
    later = [place for place, kind in enumerate(kinds(cues)) if kind == "output_audio_buffer.cleared"][1]

    assert kinds(cues)[later + 1] == "conversation.item.truncated"
    assert [cue.event["response"]["status"] for cue in cues if cue.type == "response.done"].count("cancelled") == 1


def test_a_tool_call_closes_its_spoken_sentence_after_the_arguments() -> None:
    cues = kinds(events("asks_for_person"))
    at = cues.index("response.function_call_arguments.done")

    assert cues[at - 6 : at] == [
        "response.function_call_arguments.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
    ]
    assert cues[at + 1 : at + 4] == ["conversation.item.done", "response.output_item.done", "response.done"]


@pytest.mark.parametrize(("name", "tool"), [("asks_for_person", "transfer_call"), ("goodbye", "end_call")])
def test_the_assistant_uses_its_tool(name: str, tool: str) -> None:
    calls = [cue.event for cue in events(name) if cue.type == "response.function_call_arguments.done"]

    assert calls[-1]["name"] == tool
    assert json.loads(calls[-1]["arguments"])["reason"]


def test_keys_arrive_one_by_one_without_event_ids() -> None:
    keys = [cue.event for cue in events("dtmf_menu") if cue.type == "input_audio_buffer.dtmf_event_received"]

    assert "".join(key["event"] for key in keys) == "140718#"
    assert all("event_id" not in key for key in keys)


def test_silence_ends_in_a_time_out_event() -> None:
    assert kinds(events("silent_caller")).count("input_audio_buffer.timeout_triggered") == 2


@pytest.mark.parametrize(
    ("name", "at_least_s", "at_most_s"),
    [("outage_transfer", 83, 84), ("billing_short", 20, 35), ("withheld_long", 165, 210), ("german_move", 30, 90)],
)
def test_conversations_last_as_long_as_they_say(name: str, at_least_s: float, at_most_s: float) -> None:
    made = conversation(name)

    assert at_least_s < made.duration_s < at_most_s
    assert made.caller_leaves_at_s is not None
    assert made.caller_leaves_at_s > made.duration_s - 1


@pytest.mark.parametrize("name", ["asks_for_person", "goodbye"])
def test_some_callers_wait_for_somebody_else_to_end_the_call(name: str) -> None:
    assert conversation(name).caller_leaves_at_s is None


@pytest.mark.parametrize("name", WRITTEN)
def test_tokens_only_grow(name: str) -> None:
    usages = [cue.event["response"]["usage"] for cue in events(name) if cue.type == "response.done"]
    inputs = [usage["input_tokens"] for usage in usages]

    assert inputs == sorted(inputs)
    assert all(usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] for usage in usages)
    assert all(usage["input_token_details"]["cached_tokens"] % 64 == 0 for usage in usages)
