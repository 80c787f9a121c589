"""The eleven client events of the sideband, and what each may hold (contract OpenAI 4.7)."""

from __future__ import annotations

import json
from typing import Any

from callops.simulator.openai.schema import (
    Choice,
    Flag,
    Invalid,
    Kind,
    ListOf,
    MapOf,
    Nullable,
    Number,
    Shape,
    Tagged,
    Text,
)
from callops.simulator.openai.session_schema import (
    FORMAT,
    MAX_TOKENS,
    MODALITIES,
    PROMPT,
    REASONING,
    TOOL,
    TOOL_CHOICE,
    TYPE,
    VOICE,
    Json,
)

# In the order of the provider's own error message, which leaves `output_audio_buffer.clear` out.
NAMED_IN_ERRORS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "response.create",
    "response.cancel",
)

ITEM_ID = Text(longest=32, pattern=r"[A-Za-z0-9_-]+")
CALL_ID = Text(longest=32, pattern=r"[A-Za-z0-9_-]+")
STATUS = Choice(("in_progress", "completed", "incomplete"))
INPUT_TEXT = Shape({TYPE: Text(), "text": Text()}, required=("text",))
COMMON: dict[str, Kind] = {TYPE: Text(), "id": ITEM_ID, "object": Choice(("realtime.item",)), "status": STATUS}


def _message(content: Tagged) -> Shape:
    return Shape({**COMMON, "role": Text(), "content": ListOf(content)}, required=("content",))


MESSAGE = Tagged(
    {
        "system": _message(Tagged({"input_text": INPUT_TEXT})),
        "user": _message(
            Tagged(
                {
                    "input_text": INPUT_TEXT,
                    "input_audio": Shape({TYPE: Text(), "audio": Text(), "transcript": Nullable(Text())}),
                    "input_image": Shape(
                        {TYPE: Text(), "image_url": Text(), "detail": Choice(("auto", "low", "high"))},
                        required=("image_url",),
                    ),
                }
            )
        ),
        "assistant": _message(
            Tagged(
                {
                    "output_text": INPUT_TEXT,
                    "output_audio": Shape({TYPE: Text(), "audio": Text(), "transcript": Text()}),
                }
            )
        ),
    },
    tag="role",
)
ITEM = Tagged(
    {
        "message": MESSAGE,
        "function_call": Shape(
            {**COMMON, "name": Text(), "call_id": CALL_ID, "arguments": Text()}, required=("name", "arguments")
        ),
        "function_call_output": Shape({**COMMON, "call_id": CALL_ID, "output": Text()}, required=("call_id", "output")),
        "mcp_approval_response": Shape(
            {TYPE: Text(), "id": ITEM_ID, "approval_request_id": Text(), "approve": Flag(), "reason": Nullable(Text())},
            required=("approval_request_id", "approve"),
        ),
    }
)
RESPONSE = Shape(
    {
        "instructions": Text(),
        "conversation": Choice(("auto", "none")),
        "input": ListOf(ITEM),
        "metadata": Nullable(MapOf(Text(longest=512), most=16)),
        "output_modalities": MODALITIES,
        "tools": ListOf(TOOL),
        "tool_choice": TOOL_CHOICE,
        "max_output_tokens": MAX_TOKENS,
        "audio": Shape({"output": Shape({"format": FORMAT, "voice": VOICE})}),
        "prompt": PROMPT,
        "reasoning": REASONING,
        "parallel_tool_calls": Flag(),
    }
)


def _event(required: tuple[str, ...] = (), **fields: Kind) -> Shape:
    return Shape({TYPE: Text(), "event_id": Text(longest=512), **fields}, required=required)


EVENTS: dict[str, Shape] = {
    # The session itself is checked where it is applied: its rules depend on the running one.
    "session.update": _event(("session",), session=MapOf()),
    "conversation.item.create": _event(("item",), item=ITEM, previous_item_id=Nullable(Text())),
    "conversation.item.retrieve": _event(("item_id",), item_id=Text()),
    "conversation.item.truncate": _event(
        ("item_id", "content_index", "audio_end_ms"),
        item_id=Text(),
        content_index=Number(0, whole=True),
        audio_end_ms=Number(0, whole=True),
    ),
    "conversation.item.delete": _event(("item_id",), item_id=Text()),
    "response.create": _event((), response=RESPONSE),
    "response.cancel": _event((), response_id=Text()),
    "output_audio_buffer.clear": _event(),
    "input_audio_buffer.append": _event(("audio",), audio=Text()),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
}


def read(frame: str) -> Json:
    """The client event in a text frame; raises `Invalid` for anything that is not exactly one."""
    try:
        event: Any = json.loads(frame)
    except ValueError as error:
        raise Invalid("The frame is not valid JSON.", code="invalid_json", param=None) from error
    if not isinstance(event, dict):
        raise Invalid("Expected an object in the frame.", code="invalid_type", param=None)
    if TYPE not in event:
        raise Invalid.missing(TYPE)
    if not isinstance(event[TYPE], str):
        raise Invalid.wrong_type(TYPE, "a string", event[TYPE])
    if event[TYPE] not in EVENTS:
        raise Invalid.not_among(TYPE, event[TYPE], NAMED_IN_ERRORS)
    EVENTS[event[TYPE]].check(event, "")
    return event


def sender_id(frame: str) -> str | None:
    """The `event_id` of a frame that was refused, to be named in the `error` event."""
    try:
        event: Any = json.loads(frame)
    except ValueError:
        return None
    named = event.get("event_id") if isinstance(event, dict) else None
    return named if isinstance(named, str) else None
