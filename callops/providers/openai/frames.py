"""A server event of the sideband, decoded once and cheaply (contract OpenAI 4.6)."""

from typing import Any

import msgspec


class Garbage(Exception):
    """The frame is not a JSON object with a type."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """One piece of content: `input_audio`, `output_audio`, `input_text`, `output_text`, `audio` or `text`."""

    type: str | None = None
    text: str | None = None
    transcript: str | None = None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One conversation item: a message, a tool call, its output, or an MCP item."""

    id: str | None = None
    type: str | None = None
    role: str | None = None
    status: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    output: Any = None
    content: list[Part] | None = None
    phase: str | None = None
    server_label: str | None = None
    error: Any = None


class Response(msgspec.Struct, frozen=True, gc=False):
    """One response; `status_details`, `metadata`, `usage` and `output` are as they came."""

    id: str | None = None
    status: str | None = None
    status_details: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    output: list[Any] | None = None
    conversation_id: str | None = None


class Error(msgspec.Struct, frozen=True, gc=False):
    """What went wrong; `event_id` names the client event that caused it."""

    type: str | None = None
    code: str | int | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One server event; every field that its type does not have is None. `*_ms` are on the session's audio clock."""

    type: str = ""
    event_id: str | None = None
    item_id: str | None = None
    previous_item_id: str | None = None
    response_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    delta: str | None = None
    transcript: str | None = None
    text: str | None = None
    item: Item | None = None
    part: Part | None = None
    response: Response | None = None
    error: Error | None = None
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    event: str | None = None
    received_at: int | float | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    usage: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    conversation: dict[str, Any] | None = None
    rate_limits: list[Any] | None = None
    id: str | None = None
    speaker: str | None = None
    start: float | None = None
    end: float | None = None


_decoder = msgspec.json.Decoder(Frame)
_fields = msgspec.structs.fields(Frame)


def decode(raw: bytes | str) -> Frame:
    """The frame; unknown keys are ignored and a field of an unexpected type is left out, the rest is kept.

    Raises `Garbage` for what is not JSON, not an object or has no type.
    """
    try:
        frame = _decoder.decode(raw)
    except msgspec.ValidationError:
        frame = _piecewise(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Garbage("the frame is not JSON") from error
    if not frame.type:
        raise Garbage("the frame has no type")
    return frame


def _piecewise(raw: bytes | str) -> Frame:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Garbage("the frame is not JSON") from error
    if not isinstance(value, dict):
        raise Garbage("the frame is not a JSON object")
    kept: dict[str, Any] = {}
    for field in _fields:
        try:
            kept[field.name] = msgspec.convert(value.get(field.name, field.default), field.type)
        except msgspec.ValidationError:
            continue
    return Frame(**kept)
