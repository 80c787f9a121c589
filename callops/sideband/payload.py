"""What the assistant is told when a call is accepted: the line's words, and the tools it may call.

The body is a flat Realtime session (contract OpenAI 3.2): `type` always, no audio formats (SIP negotiates them),
transcription on (off by default), and only the fields of one kind of turn detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TRANSCRIPTION_MODEL = "gpt-realtime-whisper"
TRANSFER_TOOL = "transfer_call"
END_TOOL = "end_call"


@dataclass(frozen=True, slots=True)
class Choice:
    """One destination as the assistant may know it: never a number."""

    name: str
    label: str


def session_payload(
    *, model: str, voice: str, instructions: str, choices: Sequence[Choice], told: str = ""
) -> dict[str, Any]:
    """The session with which a call is accepted. `told` is what the assistant must know of the call so far."""
    words = "\n\n".join(part for part in (instructions, told) if part)
    return {
        "type": "realtime",
        "model": model,
        "instructions": words,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "transcription": {"model": TRANSCRIPTION_MODEL},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": turn_detection(answering=True),
            },
            "output": {"voice": voice},
        },
        "tools": [*([_transfer_tool(choices)] if choices else []), _end_tool()],
        "tool_choice": "auto",
    }


def turn_detection(*, answering: bool) -> dict[str, Any]:
    """How the end of the caller's speech is found, and whether the assistant answers it by itself and may be cut off.

    Without answering it is muted: the contract's way is both flags off (contract OpenAI 4.7).
    """
    return {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": answering,
        "interrupt_response": answering,
    }


def back_again(why: str) -> str:
    """What an assistant is told when the caller is back because no person took them; `why` says who was tried."""
    return (
        "You spoke with this caller a moment ago and tried to connect them to a person. "
        f"{why or 'Nobody could take the call.'} "
        "Apologise briefly, say that nobody could be reached, and offer to help yourself or to take a message."
    )


def _transfer_tool(choices: Sequence[Choice]) -> dict[str, Any]:
    known = "; ".join(f"{choice.name}: {choice.label}" for choice in choices)
    return {
        "type": "function",
        "name": TRANSFER_TOOL,
        "description": f"Connect the caller to a person. Say one short sentence first. Destinations: {known}.",
        "parameters": {
            "type": "object",
            "properties": {
                "destination": {"type": "string", "enum": [choice.name for choice in choices]},
                "reason": {"type": "string", "description": "Why the caller needs a person."},
                "summary": {"type": "string", "description": "Two sentences for the person who takes the call."},
            },
            "required": ["destination", "reason", "summary"],
            "additionalProperties": False,
        },
    }


def _end_tool() -> dict[str, Any]:
    return {
        "type": "function",
        "name": END_TOOL,
        "description": "End the call after the goodbye was said.",
        "parameters": {
            "type": "object",
            "properties": {"reason": {"type": "string", "description": "Why the call is over."}},
            "required": ["reason"],
            "additionalProperties": False,
        },
    }
