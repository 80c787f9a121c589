"""What a conversation is made of when it is played: timed events, and the gates that wait for the client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

TURN_STARTS = frozenset(
    {"response.created", "input_audio_buffer.speech_started", "input_audio_buffer.timeout_triggered"}
)


@dataclass(eq=False)
class Gate:
    """A place in the conversation that answers a client's message; it opens once, by a claim or by time."""

    kind: Literal["response", "output", "system", "session"]
    at_s: float
    call_id: str | None = None
    """Kind `output`: the tool call whose output the recording echoes."""
    tool: str | None = None
    """Kind `response`: the tool whose success the line behind the gate tells of."""
    words: str = ""
    waits: bool = True
    settled: bool = False
    claimed: bool = False
    metadata: Json | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, *, claimed: bool, metadata: Json | None = None) -> None:
        """Open the gate; what lies behind it is played when it was claimed."""
        self.settled, self.claimed, self.metadata = True, claimed, metadata
        self.opened.set()


@dataclass(frozen=True, slots=True)
class Cue:
    """One server event at a moment of the conversation, in seconds from its start."""

    at_s: float
    event: Json
    response_id: str | None = None
    gate: Gate | None = None
    lasts_s: float = 0.0
    """On `output_audio_buffer.started`: how long the playback lasts."""
    needs_idle_timeout: bool = False
    """Only when the session has an `idle_timeout_ms`."""

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def starts_turn(self) -> bool:
        """Whether somebody begins to speak with this event."""
        return self.type in TURN_STARTS


@dataclass(frozen=True)
class Score:
    """A conversation made ready for one call, in order of time."""

    cues: tuple[Cue, ...]
    gates: tuple[Gate, ...]
    language: str
    leaves_s: float | None
    """When the caller hangs up by itself; None when it waits for somebody else to."""
    plays_unasked: bool
    """Whether a line behind a gate nobody opened is played all the same (the recording) or left out."""

    def claim(self, kind: str, *, now_s: float, call_id: str | None = None, ahead_s: float = 5.0) -> Gate | None:
        """The unopened gate of this kind that the conversation stands at or reaches within `ahead_s`."""
        for gate in self.gates:
            near = gate.at_s <= now_s + ahead_s
            if not gate.settled and near and gate.kind == kind and gate.call_id == call_id:
                return gate
        return None
