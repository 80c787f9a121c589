"""Tokens of the recorded call, by kind; what brings no figures is counted as missing."""

from __future__ import annotations

import json

from callops.providers.openai import frames
from callops.sideband.transcript import Transcript
from callops.sideband.usage import Usage
from tests.rows import at


def take(tally: Usage, **frame: object) -> None:
    tally.take(frames.decode(json.dumps(frame)))


def test_cached_tokens_are_counted_once_and_a_cancelled_answer_counts_too() -> None:
    usage = Usage()
    cached = {"text_tokens": 640, "audio_tokens": 0, "image_tokens": 0}
    came = {"text_tokens": 669, "audio_tokens": 184, "cached_tokens": 640, "cached_tokens_details": cached}
    spent = {"input_token_details": came, "output_token_details": {"text_tokens": 36, "audio_tokens": 50}}

    take(usage, type="response.created", response={"id": "r1", "conversation_id": "c"})
    assert usage.running == 1
    take(usage, type="response.done", response={"id": "r1", "status": "cancelled", "usage": spent})

    assert (usage.text_in, usage.text_cached, usage.audio_in) == (29, 640, 184)
    assert (usage.text_out, usage.audio_out, usage.running, usage.unmetered) == (36, 50, 0, 0)


def test_what_brings_no_figures_is_said_to_be_missing() -> None:
    usage = Usage()

    take(usage, type="response.done", response={"id": "r1", "status": "failed"})
    take(usage, type="conversation.item.input_audio_transcription.completed", transcript="Hi", usage={"seconds": 3})
    take(usage, type="conversation.item.input_audio_transcription.completed", transcript="Hi")

    assert (usage.unmetered, usage.heard_s) == (2, 3.0)


def test_an_answer_tells_how_long_the_caller_waited_for_its_sound_and_a_greeting_does_not() -> None:
    fold = Transcript()
    said = {"type": "response.output_audio_transcript.delta", "delta": "Hello"}
    story = [
        (0, {**said, "item_id": "a1", "response_id": "r1"}),
        (0.1, {"type": "output_audio_buffer.started", "response_id": "r1"}),
        (2, {"type": "input_audio_buffer.speech_started", "item_id": "u1"}),
        (4, {"type": "input_audio_buffer.speech_stopped", "item_id": "u1"}),
        (4.6, {**said, "item_id": "a2", "response_id": "r2"}),
        (4.9, {"type": "output_audio_buffer.started", "response_id": "r2"}),
        (5, {"type": "output_audio_buffer.started", "response_id": "r2"}),
    ]

    for seconds, frame in story:
        fold.fold(frames.decode(json.dumps(frame)), at(seconds))

    assert [turn.detail.get("waited_ms") for turn in fold.turns()] == [None, 900]
