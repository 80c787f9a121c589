"""Is this a session that `/accept` really takes? A bad one may be answered 200 and still kill the call.

Pure, and as strict as contract OpenAI 3.2: an unknown key is refused by its dotted name.
"""

from collections.abc import Mapping
from typing import Any

from callops.providers.openai.shape import (
    Check,
    InvalidSession,
    anything,
    as_a_list,
    at_most_null,
    choice,
    either,
    flag,
    mapping,
    number,
    record,
    refused,
    tagged,
    text,
    whole,
)

__all__ = ["InvalidSession", "check"]

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
EFFORTS = ("minimal", "low", "medium", "high", "xhigh")

_no_format = refused("omit it: on SIP the audio format is negotiated, and setting it garbled the sound")

_transcription = record(
    model=text,
    language=text,
    languages=as_a_list(text),
    keywords=as_a_list(text),
    prompt=text,
    delay=choice(*EFFORTS),
    required=("model",),
)
_noise_reduction = record(type=choice("near_field", "far_field"), strength=number(0, 1), required=("type",))
_server_vad = record(
    type=choice("server_vad"),
    threshold=number(0, 1),
    prefix_padding_ms=whole(0, 60_000),
    silence_duration_ms=whole(0, 60_000),
    idle_timeout_ms=at_most_null(whole(0, 600_000)),
    create_response=flag,
    interrupt_response=flag,
)
_semantic_vad = record(
    type=choice("semantic_vad"),
    eagerness=choice("low", "medium", "high", "auto"),
    create_response=flag,
    interrupt_response=flag,
)
_audio = record(
    input=record(
        format=_no_format,
        noise_reduction=at_most_null(_noise_reduction),
        transcription=at_most_null(_transcription),
        turn_detection=at_most_null(tagged(server_vad=_server_vad, semantic_vad=_semantic_vad)),
    ),
    output=record(
        format=_no_format,
        voice=either(choice(*VOICES), record(id=text, required=("id",))),
        speed=number(0.25, 1.5),
    ),
)
_function = record(type=choice("function"), name=text, description=text, parameters=mapping, required=("name",))
_mcp = record(
    type=choice("mcp"),
    server_label=text,
    server_url=text,
    connector_id=text,
    authorization=text,
    headers=mapping,
    allowed_tools=either(as_a_list(text), mapping),
    require_approval=either(choice("always", "never"), mapping),
    server_description=text,
    required=("server_label",),
    one_of=("server_url", "connector_id"),
)
_tool_choice = tagged(
    function=record(type=choice("function"), name=text, required=("name",)),
    mcp=record(type=choice("mcp"), server_label=text, name=text, required=("server_label",)),
)
_retention = record(
    type=choice("retention_ratio"),
    retention_ratio=number(0, 1),
    token_limits=record(post_instructions=whole(0, 10_000_000)),
    required=("retention_ratio",),
)
_session: Check = record(
    type=choice("realtime"),
    model=text,
    instructions=anything(str, "text"),
    output_modalities=choice(["audio"], ["text"]),
    audio=_audio,
    tools=as_a_list(tagged(function=_function, mcp=_mcp)),
    tool_choice=either(choice("none", "auto", "required"), _tool_choice),
    parallel_tool_calls=flag,
    reasoning=record(effort=choice(*EFFORTS), required=("effort",)),
    max_output_tokens=either(choice("inf"), whole(1, 4096)),
    prompt=at_most_null(record(id=text, version=text, variables=mapping, required=("id",))),
    tracing=at_most_null(either(choice("auto"), record(workflow_name=text, group_id=text, metadata=mapping))),
    truncation=either(choice("auto", "disabled"), tagged(retention_ratio=_retention)),
    include=as_a_list(choice("item.input_audio_transcription.logprobs")),
    required=("type",),
)


def check(session: Mapping[str, Any]) -> None:
    """Returns when the session has only keys and values of contract OpenAI 3.2; raises `InvalidSession` otherwise.

    `type` is always needed, audio formats are always refused, and the fields of the two kinds of voice detection do
    not mix. The first fault found is named by its dotted field.
    """
    _session(session, "")
