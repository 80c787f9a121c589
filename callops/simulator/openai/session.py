"""The running session: every default filled in, as the wire shows it (contract OpenAI 4.6)."""

from __future__ import annotations

import copy
from typing import Any

from callops.simulator.openai.session_schema import DEFAULT_MODEL, TYPE, Json

STREAMING_TRANSCRIBERS = ("gpt-realtime-whisper", "gpt-live-transcribe")
DEFAULT_VOICE = "marin"


def opened(given: Json, *, session_id: str, expires_at: int) -> Json:
    """The full session that an accept payload makes, with every default filled in."""
    bare: Json = {
        TYPE: "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": DEFAULT_MODEL,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": {TYPE: "audio/pcmu"},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": copy.deepcopy(VAD_DEFAULTS["server_vad"]),
            },
            "output": {"format": {TYPE: "audio/pcmu"}, "voice": DEFAULT_VOICE, "speed": 1.0},
        },
        "include": None,
    }
    return changed(bare, given)


VAD_DEFAULTS: dict[str, Json] = {
    "server_vad": {
        TYPE: "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        TYPE: "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}


def changed(session: Json, given: Json) -> Json:
    """The session after an update: only the given keys change (contract OpenAI 4.7)."""
    new = copy.deepcopy(session)
    for key, value in given.items():
        if key != "audio":
            new[key] = copy.deepcopy(value)
    for way, settings in given.get("audio", {}).items():
        for key, value in settings.items():
            new["audio"][way][key] = _setting(key, value, new["audio"][way].get(key))
    return new


def _setting(key: str, value: Any, present: Any) -> Any:
    if key == "turn_detection" and value is not None:
        same = present is not None and present[TYPE] == value[TYPE]
        return {**(present if same else VAD_DEFAULTS[value[TYPE]]), **value}
    if key == "transcription" and value is not None:
        return {"language": None, "prompt": None, **value}
    return copy.deepcopy(value)


def answers_by_itself(session: Json) -> bool:
    """Whether the model speaks after a caller's turn without being asked."""
    detection = session["audio"]["input"]["turn_detection"]
    return detection is not None and bool(detection["create_response"])
