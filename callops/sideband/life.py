"""Signs of life on a sideband: who was heard, and whether the assistant, its playback or a tool is at work. Pure.

Watchdogs go by this, so that they never end a live call (contract OpenAI 4.4).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from callops.sideband import quiet
from callops.sideband.quiet import Hush, Sounds
from callops.sideband.signs import Signs
from callops.sideband.wire import FrameLike

CALLER = frozenset({"input_audio_buffer.speech_started", "input_audio_buffer.dtmf_event_received"})
OTHERS = frozenset(
    {
        "input_audio_buffer.speech_stopped",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "response.created",
        "response.done",
        "response.function_call_arguments.done",
        "conversation.item.added",
    }
)
MCP_OVER = frozenset({"response.mcp_call.completed", "response.mcp_call.failed"})
PLAYED_OUT = frozenset({"output_audio_buffer.stopped", "output_audio_buffer.cleared"})
TELLING = CALLER | OTHERS | MCP_OVER | {"response.mcp_call.in_progress"}
"""Frames of all other types tell nothing of life."""


class Life:
    """What the frames so far tell of life on one session."""

    def __init__(self) -> None:
        self.playing = False
        """Whether the caller hears the assistant right now."""
        self.responding = False
        """Whether the model is producing an answer right now."""
        self._signs = Signs()
        self._tools: set[str] = set()
        self._played: set[str] = set()
        self._open_at: datetime | None = None
        self._key_at: datetime | None = None
        self._tool_ended_at: datetime | None = None

    @property
    def signs(self) -> Signs:
        """As a batch carries them."""
        busy = self.playing or self.responding or bool(self._tools)
        hush = self._hush()
        if hush is None:
            return replace(self._signs, busy=busy)
        return replace(self._signs, busy=busy, silence=hush.whose, silent_since=hush.since)

    def take(self, frame: FrameLike, at: datetime) -> None:
        """One more frame."""
        if frame.type not in TELLING:
            return
        first_words = {"heard_at": at} if frame.type in CALLER and self._signs.heard_at is None else {}
        if frame.type in CALLER or frame.type in OTHERS:
            self._note(life_at=at, **first_words)
        self._hear_caller(frame, at)
        self._hear_assistant(frame, at)
        self._watch_tools(frame, at)

    def open(self, at: datetime, *, unbroken: bool = False) -> None:
        """The socket is open (again): what was being said when it dropped is over, whenever it ended."""
        self._open_at = at
        if unbroken:
            return
        if self._signs.caller_speaking:
            self._note(speech_ended_at=at)
        if self._signs.assistant_speaking:
            self._note(sound_ended_at=at)

    def drop(self) -> None:
        """The socket dropped: nothing is known to be going on; who was speaking just then stays in the signs."""
        self.playing = self.responding = False
        self._tools.clear()

    def _hush(self) -> Hush | None:
        return quiet.hush(
            Sounds(
                open_at=self._open_at,
                speech_began_at=self._signs.speech_began_at,
                speech_ended_at=self._signs.speech_ended_at,
                key_at=self._key_at,
                sound_began_at=self._signs.sound_began_at,
                sound_ended_at=self._signs.sound_ended_at,
                tool_at_work=bool(self._tools),
                tool_ended_at=self._tool_ended_at,
            )
        )

    def _note(self, **signs: Any) -> None:
        self._signs = replace(self._signs, **signs)

    def _hear_caller(self, frame: FrameLike, at: datetime) -> None:
        if frame.type == "input_audio_buffer.speech_started":
            self._note(speech_began_at=at)
        elif frame.type == "input_audio_buffer.speech_stopped":
            self._note(speech_ended_at=at)
        elif frame.type == "input_audio_buffer.dtmf_event_received":
            self._key_at = at

    def _hear_assistant(self, frame: FrameLike, at: datetime) -> None:
        """Playback events come from another component and may change places (contract OpenAI 4.4)."""
        if frame.type == "output_audio_buffer.started" and frame.response_id not in self._played:
            self.playing = True
            self._note(sound_began_at=at)
        elif frame.type in PLAYED_OUT:
            self.playing = False
            self._played.add(frame.response_id or "")
            self._note(sound_ended_at=at)
        elif frame.type == "response.created":
            self.responding = True
        elif frame.type == "response.done":
            self.responding = False

    def _watch_tools(self, frame: FrameLike, at: datetime) -> None:
        """Functions we run end with their output; those of an MCP server say so themselves (contract OpenAI 4.6)."""
        if frame.type == "response.function_call_arguments.done" and frame.call_id:
            self._tools.add(frame.call_id)
        elif frame.type == "response.mcp_call.in_progress" and frame.item_id:
            self._tools.add(frame.item_id)
        elif frame.type == "conversation.item.added" and frame.item and frame.item.type == "function_call_output":
            self._end_tool(frame.item.call_id, at)
        elif frame.type in MCP_OVER:
            self._end_tool(frame.item_id, at)

    def _end_tool(self, name: str | None, at: datetime) -> None:
        self._tools.discard(name or "")
        self._tool_ended_at = at
