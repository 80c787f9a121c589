"""Frames for the fold's tests: the recorded calls of the contract, and single frames made by hand."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from callops.providers.openai.frames import Frame, decode
from callops.sideband.transcript import Change, Transcript, TurnState

CONTRACTS = Path(__file__).parent.parent / "contracts" / "openai"
START = datetime(2026, 11, 20, 18, 2, 7, tzinfo=UTC)
TRANSCRIPTION = "conversation.item.input_audio_transcription"
SPEECH = "response.output_audio_transcript"

Timed = tuple[Frame, datetime]

_numbers = itertools.count(1)


def at(seconds: float = 0.0) -> datetime:
    """So many seconds after the sideband opened."""
    return START + timedelta(seconds=seconds)


def call(name: str) -> list[dict[str, Any]]:
    """A recorded call as it lies in the file: `t` and `event`."""
    lines = (CONTRACTS / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def frames(name: str) -> list[Timed]:
    """The recorded call's frames with the times they arrived."""
    return [(decode(json.dumps(row["event"])), at(row["t"])) for row in call(name)]


def frame(kind: str, **fields: Any) -> Frame:
    """A frame of this type with an event id of its own, decoded as one from the wire."""
    return decode(json.dumps({"type": kind, "event_id": f"event_{next(_numbers)}", **fields}))


def message(item_id: str, role: str, *content: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": item_id, "type": "message", "role": role, "status": status, "content": list(content)}


def added(item: dict[str, Any], previous: str | None = None) -> Frame:
    return frame("conversation.item.added", item=item, previous_item_id=previous)


def caller_item(item_id: str) -> dict[str, Any]:
    return message(item_id, "user", {"type": "input_audio", "transcript": None})


def caller_says(item_id: str, text: str, previous: str | None) -> list[Frame]:
    """A caller's turn from the first sound to the recognised text."""
    return [
        frame("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0),
        frame("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous),
        added(caller_item(item_id), previous),
        frame(f"{TRANSCRIPTION}.completed", item_id=item_id, content_index=0, transcript=text),
    ]


def assistant_begins(item_id: str, previous: str | None, response: str = "resp_1") -> list[Frame]:
    """A response's audio item, with no word of it said yet."""
    item = message(item_id, "assistant", status="in_progress")
    about = {"response_id": response, "item_id": item_id, "content_index": 0}
    return [
        frame("response.created", response={"id": response, "status": "in_progress", "conversation_id": "conv_1"}),
        frame("response.output_item.added", response_id=response, output_index=0, item=item),
        added(item, previous),
        frame("response.content_part.added", part={"type": "audio", "transcript": ""}, **about),
    ]


def piece(item_id: str, delta: str, response: str = "resp_1") -> Frame:
    return frame(f"{SPEECH}.delta", response_id=response, item_id=item_id, content_index=0, delta=delta)


def assistant_ends(item_id: str, text: str, response: str = "resp_1") -> list[Frame]:
    """The `done` frames of a response that was not cut off."""
    about = {"response_id": response, "item_id": item_id, "content_index": 0}
    item = message(item_id, "assistant", {"type": "output_audio", "transcript": text})
    return [
        frame(f"{SPEECH}.done", transcript=text, **about),
        frame("conversation.item.done", item=item, previous_item_id=None),
        frame("response.output_item.done", response_id=response, output_index=0, item=item),
        frame("response.done", response={"id": response, "status": "completed", "conversation_id": "conv_1"}),
    ]


def assistant_says(item_id: str, text: str, previous: str | None, response: str = "resp_1") -> list[Frame]:
    """A whole response of one sentence."""
    begin, end = assistant_begins(item_id, previous, response), assistant_ends(item_id, text, response)
    return [*begin, piece(item_id, text, response), *end]


def fold(talk: Transcript, *some: Frame, seconds: float = 0.0) -> list[Change]:
    """Fold the frames as if they arrived at once; what changed."""
    changes = (talk.fold(one, at(seconds)) for one in some)
    return [change for change in changes if change is not None]


def folded(some: list[Timed]) -> Transcript:
    """A transcript of these frames."""
    talk = Transcript()
    for one, when in some:
        talk.fold(one, when)
    return talk


def texts(talk: Transcript) -> list[tuple[str, str]]:
    """Who said what, in order."""
    return [(turn.speaker, turn.text) for turn in talk.turns()]


def only(talk: Transcript) -> TurnState:
    """The one turn there is."""
    (turn,) = talk.turns()
    return turn
