"""What a sideband frame looks like to the fold, and which frames deserve a line of their own in the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol


class PartLike(Protocol):
    """One piece of an item's content: `type` is input_text, input_audio, output_text, output_audio, text or audio."""

    @property
    def type(self) -> str | None: ...
    @property
    def transcript(self) -> str | None: ...
    @property
    def text(self) -> str | None: ...


class ItemLike(Protocol):
    """A conversation item as it came in a frame (contract OpenAI 4.6)."""

    @property
    def id(self) -> str | None: ...
    @property
    def type(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def phase(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def call_id(self) -> str | None: ...
    @property
    def arguments(self) -> str | None: ...
    @property
    def output(self) -> Any: ...
    @property
    def content(self) -> Sequence[PartLike] | None: ...


class ResponseLike(Protocol):
    """The model's answer as a whole; `conversation_id` null means out of band (contract OpenAI 4.6)."""

    @property
    def id(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def conversation_id(self) -> str | None: ...


class FrameLike(Protocol):
    """A decoded server event: every attribute is there, and null where the event has no such field."""

    @property
    def type(self) -> str: ...
    @property
    def event_id(self) -> str | None: ...
    @property
    def item_id(self) -> str | None: ...
    @property
    def previous_item_id(self) -> str | None: ...
    @property
    def response_id(self) -> str | None: ...
    @property
    def content_index(self) -> int | None: ...
    @property
    def delta(self) -> str | None: ...
    @property
    def transcript(self) -> str | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def item(self) -> ItemLike | None: ...
    @property
    def part(self) -> PartLike | None: ...
    @property
    def response(self) -> ResponseLike | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def call_id(self) -> str | None: ...
    @property
    def arguments(self) -> str | None: ...
    @property
    def audio_end_ms(self) -> int | None: ...
    @property
    def event(self) -> str | None: ...
    @property
    def received_at(self) -> float | None: ...
    @property
    def error(self) -> Any: ...


_ROUTINE: Final = frozenset(
    {
        "session.created",
        "session.updated",
        "conversation.created",
        "conversation.item.created",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "input_audio_buffer.cleared",
        "input_audio_buffer.timeout_triggered",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.function_call_arguments.delta",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "rate_limits.updated",
    }
)
_NOTABLE: Final = frozenset(
    {
        "error",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.failed",
        "input_audio_buffer.dtmf_event_received",
        "response.done",
        "response.function_call_arguments.done",
        "response.mcp_call.failed",
        "mcp_list_tools.failed",
    }
)
WHISPER: Final = "whisp-"
"""How the id of a system item begins that a supervisor whispered; it is a turn, which the caller did not hear."""
KNOWN_TYPES: Final = _ROUTINE | _NOTABLE
"""Every server event of contract OpenAI 4.6."""

_FAILED: Final = frozenset({"failed", "incomplete"})


def is_delta(frame_type: str) -> bool:
    """Whether frames of this type are pieces of something: high in volume, worth keeping in batches only (4.5)."""
    return frame_type.endswith(".delta")


def worth_a_row(frame: FrameLike) -> bool:
    """Whether the frame is a fact a person would look for: an error, a failed or incomplete response, speech cut off,
    a key press, a finished tool call, or a type nobody here knows.

    A cancelled response is not: a barge-in says so with its `truncated`. Pieces of an unknown type are not either.
    """
    if frame.type in _ROUTINE or is_delta(frame.type):
        return False
    if frame.type == "response.done":
        return frame.response is not None and frame.response.status in _FAILED
    return True
