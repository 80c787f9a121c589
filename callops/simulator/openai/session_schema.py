"""What accept and `session.update` may say of a session (contract OpenAI 3.2)."""

from __future__ import annotations

from typing import Any

from callops.simulator.openai.schema import (
    Choice,
    Either,
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

Json = dict[str, Any]

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
WITHOUT_REASONING = (
    "gpt-realtime-1.5",
    "gpt-realtime",
    "gpt-realtime-2025-08-28",
    "gpt-realtime-mini",
    "gpt-realtime-mini-2025-10-06",
    "gpt-realtime-mini-2025-12-15",
)
DEFAULT_MODEL = "gpt-realtime-2.1"
NAME = r"[A-Za-z0-9_-]{1,64}"
TYPE = "type"

FORMAT = Tagged(
    {
        "audio/pcm": Shape({TYPE: Text(), "rate": Number(24000, 24000, whole=True)}),
        "audio/pcmu": Shape({TYPE: Text()}),
        "audio/pcma": Shape({TYPE: Text()}),
    }
)
VOICE = Either((Choice(VOICES), Shape({"id": Text()}, required=("id",))))
NOISE_REDUCTION = Shape({TYPE: Choice(("near_field", "far_field")), "strength": Number(0, 1)}, required=(TYPE,))
TRANSCRIPTION = Shape(
    {
        "model": Text(),
        "language": Nullable(Text()),
        "languages": ListOf(Text()),
        "keywords": ListOf(Text()),
        "prompt": Nullable(Text()),
        "delay": Choice(("minimal", "low", "medium", "high", "xhigh")),
    },
    required=("model",),
)
TURN_DETECTION = Tagged(
    {
        "server_vad": Shape(
            {
                TYPE: Text(),
                "threshold": Number(0, 1),
                "prefix_padding_ms": Number(0, whole=True),
                "silence_duration_ms": Number(0, whole=True),
                "idle_timeout_ms": Nullable(Number(5000, 30000, whole=True)),
                "create_response": Flag(),
                "interrupt_response": Flag(),
            }
        ),
        "semantic_vad": Shape(
            {
                TYPE: Text(),
                "eagerness": Choice(("low", "medium", "high", "auto")),
                "create_response": Flag(),
                "interrupt_response": Flag(),
            }
        ),
    }
)
APPROVAL = Shape({"tool_names": ListOf(Text()), "read_only": Flag()})
TOOL = Tagged(
    {
        "function": Shape(
            {TYPE: Text(), "name": Text(pattern=NAME), "description": Text(), "parameters": MapOf()},
            required=("name",),
        ),
        "mcp": Shape(
            {
                TYPE: Text(),
                "server_label": Text(),
                "server_url": Text(pattern=r"https?://\S+"),
                "connector_id": Text(),
                "authorization": Text(),
                "headers": Nullable(MapOf(Text())),
                "allowed_tools": Nullable(Either((ListOf(Text()), APPROVAL))),
                "require_approval": Nullable(
                    Either((Choice(("always", "never")), Shape({"always": APPROVAL, "never": APPROVAL})))
                ),
                "server_description": Text(),
            },
            required=("server_label",),
        ),
    }
)
TOOL_CHOICE = Either(
    (
        Choice(("none", "auto", "required")),
        Tagged(
            {
                "function": Shape({TYPE: Text(), "name": Text(pattern=NAME)}, required=("name",)),
                "mcp": Shape({TYPE: Text(), "server_label": Text(), "name": Text()}, required=("server_label",)),
            }
        ),
    )
)
REASONING = Shape({"effort": Choice(("minimal", "low", "medium", "high", "xhigh"))})
MODALITIES = ListOf(Choice(("audio", "text")), exactly=1)
MAX_TOKENS = Either((Number(1, 4096, whole=True), Choice(("inf",))))
PROMPT = Nullable(Shape({"id": Text(), "version": Nullable(Text()), "variables": Nullable(MapOf())}, required=("id",)))
TRACING = Nullable(
    Either((Choice(("auto",)), Shape({"workflow_name": Text(), "group_id": Text(), "metadata": MapOf()})))
)
TRUNCATION = Either(
    (
        Choice(("auto", "disabled")),
        Tagged(
            {
                "retention_ratio": Shape(
                    {
                        TYPE: Text(),
                        "retention_ratio": Number(0, 1),
                        "token_limits": Shape({"post_instructions": Number(0, whole=True)}),
                    },
                    required=("retention_ratio",),
                )
            }
        ),
    )
)
AUDIO = Shape(
    {
        "input": Shape(
            {
                "format": FORMAT,
                "noise_reduction": Nullable(NOISE_REDUCTION),
                "transcription": Nullable(TRANSCRIPTION),
                "turn_detection": Nullable(TURN_DETECTION),
            }
        ),
        "output": Shape({"format": FORMAT, "voice": VOICE, "speed": Number(0.25, 1.5)}),
    }
)
FIELDS: dict[str, Kind] = {
    TYPE: Choice(("realtime",)),
    "model": Text(),
    "instructions": Text(),
    "output_modalities": MODALITIES,
    "audio": AUDIO,
    "tools": ListOf(TOOL),
    "tool_choice": TOOL_CHOICE,
    "parallel_tool_calls": Flag(),
    "reasoning": REASONING,
    "max_output_tokens": MAX_TOKENS,
    "prompt": PROMPT,
    "tracing": TRACING,
    "truncation": TRUNCATION,
    "include": Nullable(ListOf(Choice(("item.input_audio_transcription.logprobs",)))),
}
SESSION = Shape(FIELDS, required=(TYPE,))


def check_session(session: object, model: str | None = None) -> Json:
    """The session as given, proven valid; raises `Invalid`. `model` is the running one, for an update."""
    SESSION.check(session, "session")
    if not isinstance(session, dict):
        raise Invalid.wrong_type("session", "an object", session)
    for index, tool in enumerate(session.get("tools", [])):
        if tool[TYPE] == "mcp" and ("server_url" in tool) == ("connector_id" in tool):
            why = "exactly one of server_url and connector_id is needed."
            raise Invalid.wrong_value(f"session.tools[{index}]", why)
    if session.get("model", model or DEFAULT_MODEL) in WITHOUT_REASONING:
        for key in ("reasoning", "parallel_tool_calls"):
            if key in session:
                raise Invalid.unknown(f"session.{key}")
    return session


def doubtful(session: Json) -> list[str]:
    """What the provider takes but the field warns of: sound formats set on a SIP call (contract OpenAI 5.2 #10)."""
    audio = session.get("audio", {})
    return [
        f"session.audio.{way}.format overrides what SIP negotiated"
        for way in ("input", "output")
        if "format" in audio.get(way, {})
    ]
