"""Which sideband frames become timeline rows, and what they say there. Pure."""

from __future__ import annotations

from datetime import datetime

from callops.calls.kinds import Kind
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane
from callops.providers.openai.frames import Frame
from callops.sideband.turns import TurnState
from callops.sideband.wire import KNOWN_TYPES
from callops.transfers.company import NOTE_IDS

SAMPLE_BYTES = 200


def is_note(frame: Frame) -> bool:
    """Whether the frame says that a note of ours stands in the assistant's conversation."""
    item = frame.item if frame.type == "conversation.item.added" else None
    return item is not None and item.role == "system" and (item.id or "").startswith(tuple(NOTE_IDS.values()))


def row_of(frame: Frame, at: datetime, *, pressed: str = "") -> NewEvent:
    """A notable frame as one row (contract OpenAI 4.6); `pressed` is the turn that a key press made."""
    if frame.type == "input_audio_buffer.dtmf_event_received":
        key = {"key": frame.event, "item_id": pressed}
        return NewEvent(at=at, kind=Kind.OPENAI_DTMF, lane=Lane.CALLER, body=key)
    if is_note(frame) and frame.item is not None:
        return NewEvent(at=at, kind=Kind.OPENAI_NOTE_ADDED, lane=Lane.OPENAI, body={"item_id": frame.item.id})
    if frame.type == "conversation.item.truncated":
        cut = {"item_id": frame.item_id, "heard_ms": frame.audio_end_ms}
        return NewEvent(at=at, kind=Kind.OPENAI_INTERRUPTED, lane=Lane.CALLER, body=cut)
    if frame.type == "response.function_call_arguments.done":
        wish = {"name": frame.name, "arguments": frame.arguments, "call_id": frame.call_id}
        return NewEvent(at=at, kind=Kind.OPENAI_TOOL_CALL, lane=Lane.OPENAI, body=wish)
    if frame.type == "response.done" and frame.response is not None:
        failure = {"status": frame.response.status, "reason": frame.response.status_details}
        return NewEvent(at=at, kind=Kind.OPENAI_RESPONSE_FAILED, lane=Lane.OPENAI, body=failure)
    if frame.type in KNOWN_TYPES:
        return NewEvent(at=at, kind=Kind.OPENAI_ERROR, lane=Lane.OPENAI, body=_error(frame))
    return NewEvent(at=at, kind=Kind.OPENAI_UNKNOWN_FRAME, lane=Lane.OPENAI, body={"type": frame.type})


def garbage(raw: bytes, at: datetime) -> NewEvent:
    """A frame that is no event: counted, sampled and survived."""
    sample = raw[:SAMPLE_BYTES].decode("utf-8", "replace")
    return NewEvent(at=at, kind=Kind.OPENAI_GARBAGE, lane=Lane.OPENAI, body={"sample": sample, "bytes": len(raw)})


def turn(said: TurnState, at: datetime) -> NewEvent:
    """A finished line of the transcript."""
    lane = Lane.CALLER if said.speaker == "caller" else Lane.OPENAI
    body = {"speaker": said.speaker, "text": said.text, "item_id": said.item_id, "partial": said.partial}
    return NewEvent(at=at, kind=Kind.OPENAI_TURN, lane=lane, body=body)


def _error(frame: Frame) -> dict[str, object]:
    error = frame.error
    return {
        "frame": frame.type,
        "type": error.type if error else None,
        "code": error.code if error else None,
        "message": error.message if error else None,
    }
