"""What the application says on the sideband (contract OpenAI 4.7).

Every event may be given an `event_id` by the caller; OpenAI repeats it in `error.event_id`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

ClientEvent = dict[str, Any]


def session_update(**session: Any) -> ClientEvent:
    """Changes only the given keys of the running session; `type` is always sent (contract OpenAI 3.2)."""
    return {"type": "session.update", "session": {**session, "type": "realtime"}}


def function_call_output(call_id: str, output: Mapping[str, Any]) -> ClientEvent:
    """Answers the tool call `call_id`; the model speaks about it only after a `response_create`."""
    text = msgspec.json.encode(output).decode()
    return _item({"type": "function_call_output", "call_id": call_id, "output": text})


def system_message(text: str, *, item_id: str | None = None) -> ClientEvent:
    """Steers the model silently: it is told, and nothing is said until it speaks next."""
    named = {"id": item_id} if item_id else {}
    return _item({**named, "type": "message", "role": "system", "content": [{"type": "input_text", "text": text}]})


def response_create(**response: Any) -> ClientEvent:
    """Asks the model to speak now; without arguments as the session is configured."""
    return {"type": "response.create", "response": response} if response else {"type": "response.create"}


def say(words: str, **names: str) -> ClientEvent:
    """Has the model speak these words of an operator; the response echoes `metadata.source` as `operator`, and names.

    Metadata is at most 16 pairs of short texts (contract OpenAI 4.7).
    """
    metadata = {"source": "operator", **names}
    return response_create(instructions=f"Say exactly: {words}", tool_choice="none", metadata=metadata)


def named(event: ClientEvent, event_id: str) -> ClientEvent:
    """The event with a name by which an `error` about it is known again (contract OpenAI 4.6)."""
    return {**event, "event_id": event_id}


def side_question(instructions: str, *, metadata: Mapping[str, str]) -> ClientEvent:
    """Asks the model for text that nobody on the call hears; the answer carries the metadata (contract OpenAI 4.7)."""
    return response_create(
        conversation="none",
        output_modalities=["text"],
        tool_choice="none",
        instructions=instructions,
        metadata=dict(metadata),
    )


def cancel() -> ClientEvent:
    """Stops the response being generated; what was already generated still plays."""
    return {"type": "response.cancel"}


def clear_output() -> ClientEvent:
    """Stops the playback to the caller; send `cancel` first."""
    return {"type": "output_audio_buffer.clear"}


def _item(item: ClientEvent) -> ClientEvent:
    return {"type": "conversation.item.create", "item": item}
