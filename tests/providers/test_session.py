"""Which sessions may be sent to accept."""

import copy
from typing import Any

import pytest

from callops.providers.openai.session import VOICES, InvalidSession, check
from tests.providers import contracts

GOOD = [
    example["request"]["body"]
    for example in contracts.read("openai/http-examples.json")
    if example["request"]["path"].endswith("/accept") and "body" in example["request"]
]
SERVER_VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}


def turn(**detection: Any) -> dict[str, Any]:
    return {"audio": {"input": {"turn_detection": detection}}}


@pytest.mark.parametrize("session", GOOD)
def test_the_sessions_of_the_contract_pass(session: dict[str, Any]) -> None:
    before = copy.deepcopy(session)

    check(session)

    assert session == before


@pytest.mark.parametrize(
    "part",
    [
        {},
        turn(**SERVER_VAD, idle_timeout_ms=None, create_response=False),
        turn(type="semantic_vad", eagerness="low", interrupt_response=True),
        {"audio": {"input": {"turn_detection": None, "transcription": None, "noise_reduction": None}}},
        {"audio": {"output": {"voice": {"id": "voice_1"}, "speed": 1}}},
        {"max_output_tokens": "inf"},
        {"tool_choice": {"type": "function", "name": "transfer_call"}},
        {"tool_choice": {"type": "mcp", "server_label": "map"}},
        {
            "tools": [
                {"type": "mcp", "server_label": "map", "server_url": "https://map.test", "require_approval": "never"}
            ]
        },
        {"tracing": "auto", "truncation": "disabled", "prompt": None, "instructions": ""},
        {"output_modalities": ["text"]},
    ],
)
def test_a_session_within_the_contract_passes(part: dict[str, Any]) -> None:
    check({"type": "realtime", **part})


@pytest.mark.parametrize(
    ("part", "field"),
    [
        # the known bad payloads of contract OpenAI 3.2
        (turn(type="semantic_vad", threshold=0.5), "audio.input.turn_detection.threshold"),
        (turn(type="semantic_vad", prefix_padding_ms=300), "audio.input.turn_detection.prefix_padding_ms"),
        (turn(type="semantic_vad", silence_duration_ms=500), "audio.input.turn_detection.silence_duration_ms"),
        (turn(type="server_vad", eagerness="low"), "audio.input.turn_detection.eagerness"),
        ({"audio": {"input": {"format": None}}}, "audio.input.format"),
        ({"audio": {"input": {"format": {"type": "audio/pcmu"}}}}, "audio.input.format"),
        ({"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}}}}, "audio.output.format"),
        ({"voice": "marin"}, "voice"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"temperature": 0.8}, "temperature"),
        ({"metadata": {}}, "metadata"),
        # other faults
        (turn(threshold=0.5), "audio.input.turn_detection.type"),
        (turn(type="other"), "audio.input.turn_detection.type"),
        (turn(type="server_vad", threshold=1.5), "audio.input.turn_detection.threshold"),
        (turn(type="server_vad", threshold=True), "audio.input.turn_detection.threshold"),
        (turn(type="server_vad", create_response="yes"), "audio.input.turn_detection.create_response"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"instructions": 5}, "instructions"),
        ({"output_modalities": ["audio", "text"]}, "output_modalities"),
        ({"audio": []}, "audio"),
        ({"audio": {"input": {"transcription": {"language": "en"}}}}, "audio.input.transcription.model"),
        ({"audio": {"input": {"noise_reduction": {"type": "loud"}}}}, "audio.input.noise_reduction.type"),
        ({"audio": {"output": {"voice": "robot"}}}, "audio.output.voice"),
        ({"audio": {"output": {"voice": {"name": "x"}}}}, "audio.output.voice.name"),
        ({"audio": {"output": {"speed": 2}}}, "audio.output.speed"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools.0.server_url"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 4097}, "max_output_tokens"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 2}}, "truncation.retention_ratio"),
        ({"include": ["everything"]}, "include.0"),
        ({"tracing": {"trace": 1}}, "tracing.trace"),
    ],
)
def test_a_fault_is_named_by_its_dotted_field(part: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSession) as caught:
        check({"type": "realtime", **part})

    assert caught.value.field == field
    assert caught.value.why
    assert str(caught.value).startswith(field)


@pytest.mark.parametrize("session", [{}, {"model": "gpt-realtime-2.1"}, {"type": "transcription"}, {"type": None}])
def test_the_type_is_always_needed(session: dict[str, Any]) -> None:
    with pytest.raises(InvalidSession) as caught:
        check(session)

    assert caught.value.field == "type"


@pytest.mark.parametrize("session", [None, [], "realtime"])
def test_a_session_is_an_object(session: Any) -> None:
    with pytest.raises(InvalidSession):
        check(session)


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_of_the_contract_passes(voice: str) -> None:
    check({"type": "realtime", "audio": {"output": {"voice": voice}}})
