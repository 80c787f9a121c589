"""accept, reject and hangup: what they take, what they answer, what reaches the carrier."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from callops.simulator.openai.schema import Invalid
from callops.simulator.openai.session_schema import check_session
from tests.simulator.openai.theatre import ACCEPT, Theatre, open_theatre, until

NAMES = ("x-request-id", "openai-processing-ms", "openai-version", "openai-organization", "openai-project")


def with_change(path: str, value: Any) -> dict[str, Any]:
    """The usual accept payload with one value changed or added; `...` takes the key away."""
    payload: dict[str, Any] = copy.deepcopy(ACCEPT)
    *parents, last = path.split(".")
    place = payload
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return payload


SEMANTIC = {"type": "semantic_vad", "threshold": 0.5}
BAD = [
    ("type", ..., "missing_required_parameter", "session.type"),
    ("type", "transcription", "invalid_value", "session.type"),
    ("temperature", 0.8, "unknown_parameter", "session.temperature"),
    ("voice", "marin", "unknown_parameter", "session.voice"),
    ("modalities", ["audio"], "unknown_parameter", "session.modalities"),
    ("metadata", {}, "unknown_parameter", "session.metadata"),
    ("instructions", 7, "invalid_type", "session.instructions"),
    ("output_modalities", ["audio", "text"], "invalid_value", "session.output_modalities"),
    ("output_modalities", ["video"], "invalid_value", "session.output_modalities[0]"),
    ("audio.input.format", None, "invalid_type", "session.audio.input.format"),
    ("audio.input.turn_detection", SEMANTIC, "unknown_parameter", "session.audio.input.turn_detection.threshold"),
    ("audio.input.turn_detection", {}, "missing_required_parameter", "session.audio.input.turn_detection.type"),
    ("audio.input.turn_detection.threshold", 1.5, "invalid_value", "session.audio.input.turn_detection.threshold"),
    (
        "audio.input.transcription",
        {"language": "en"},
        "missing_required_parameter",
        "session.audio.input.transcription.model",
    ),
    ("audio.input.noise_reduction", {"type": "auto"}, "invalid_value", "session.audio.input.noise_reduction.type"),
    ("audio.output.voice", "nobody", "invalid_value", "session.audio.output.voice"),
    ("audio.output.voice", 3, "invalid_type", "session.audio.output.voice"),
    ("audio.output.speed", 2, "invalid_value", "session.audio.output.speed"),
    ("audio.output.pitch", 1, "unknown_parameter", "session.audio.output.pitch"),
    ("tools", {}, "invalid_type", "session.tools"),
    ("tools", [{"type": "function"}], "missing_required_parameter", "session.tools[0].name"),
    ("tools", [{"type": "function", "name": "no blanks"}], "invalid_value", "session.tools[0].name"),
    ("tools", [{"type": "mcp", "server_label": "x"}], "invalid_value", "session.tools[0]"),
    ("tool_choice", "always", "invalid_value", "session.tool_choice"),
    ("tool_choice", {"type": "function"}, "missing_required_parameter", "session.tool_choice.name"),
    ("max_output_tokens", 4097, "invalid_value", "session.max_output_tokens"),
    ("max_output_tokens", True, "invalid_type", "session.max_output_tokens"),
    ("truncation", {"type": "retention_ratio"}, "missing_required_parameter", "session.truncation.retention_ratio"),
    ("include", ["everything"], "invalid_value", "session.include[0]"),
    ("reasoning", {"effort": "extreme"}, "invalid_value", "session.reasoning.effort"),
]


@pytest.mark.parametrize(("path", "value", "code", "param"), BAD, ids=[f"{row[0]}={row[1]}" for row in BAD])
async def test_a_bad_accept_payload_is_named_and_the_call_can_still_be_accepted(
    theatre: Theatre, path: str, value: Any, code: str, param: str
) -> None:
    dialog = theatre.invite()

    reply = await dialog.post("accept", with_change(path, value))

    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, code, param)
    assert reply.error["type"] == "invalid_request_error"
    assert theatre.recorded("refused")[-1]["param"] == param
    assert (await dialog.post("accept", ACCEPT)).status == 200


def test_the_words_of_a_refusal_are_the_providers() -> None:
    said = []
    for path, value in (
        ("type", ...),
        ("audio.input.turn_detection", SEMANTIC),
        ("audio.input.format", None),
    ):
        with pytest.raises(Invalid) as refused:
            check_session(with_change(path, value))
        said.append(refused.value.message)

    assert said == [
        "Missing required parameter: 'session.type'.",
        "Unknown parameter: 'session.audio.input.turn_detection.threshold'.",
        "Invalid type for 'session.audio.input.format': expected an object, but got null instead.",
    ]


def test_every_accept_payload_of_the_contract_is_taken(contracts: Path) -> None:
    examples = json.loads((contracts / "openai/http-examples.json").read_text())
    payloads = [
        example["request"]["body"]
        for example in examples
        if example["request"]["path"].endswith("/accept") and "body" in example["request"]
    ]

    assert len(payloads) >= 2
    for payload in payloads:
        assert check_session(payload) == payload


async def test_errors_have_the_shape_of_the_contract(theatre: Theatre, contracts: Path) -> None:
    wanted = {
        example["name"]: example["response"]
        for example in json.loads((contracts / "openai/http-examples.json").read_text())
    }
    dialog = theatre.invite()
    await dialog.post("accept", ACCEPT)
    await until(lambda: dialog.carrier.heard("answered"))

    second = await dialog.post("accept", ACCEPT)
    targetless = await dialog.post("refer", {})
    unknown = await theatre.send("/v1/realtime/calls/rtc_u1_Unknown/hangup")
    wrong_key = await dialog.post("hangup", key="sk-proj-somebody-elses-wxyz")

    assert second.error == wanted["accept, second decision"]["body"]["error"]
    assert targetless.error == wanted["refer, target missing"]["body"]["error"]
    assert unknown.error == wanted["hang up a call that has ended (a)"]["body"]["error"]
    assert wrong_key.error == wanted["wrong key"]["body"]["error"]
    assert [reply.status for reply in (second, targetless, unknown, wrong_key)] == [409, 400, 404, 401]


async def test_a_normal_answer_is_empty_and_signed(theatre: Theatre) -> None:
    reply = await theatre.invite().post("accept", ACCEPT)

    assert (reply.status, reply.text, reply.headers["content-length"]) == (200, "", "0")
    assert all(name in reply.headers for name in NAMES)


async def test_the_retired_beta_header_is_refused(theatre: Theatre) -> None:
    reply = await theatre.invite().post("accept", ACCEPT, **{"OpenAI-Beta": "realtime=v1"})

    assert reply.status == 400


async def test_a_sound_format_on_sip_is_taken_with_a_warning(theatre: Theatre) -> None:
    reply = await theatre.invite().post("accept", with_change("audio.input.format", {"type": "audio/pcmu"}))

    assert reply.status == 200
    assert "overrides" in theatre.recorded("warning")[0]["why"]


async def test_nobody_decides_and_the_invite_fails() -> None:
    async with open_theatre(accept_deadline_s=0.02) as theatre:
        dialog = theatre.invite()
        await until(lambda: dialog.carrier.heard("refused"))

        assert dialog.carrier.told[-1] == ("refused", 400)
        assert (await dialog.post("accept", ACCEPT)).status == 404


async def test_a_caller_who_gives_up_while_accept_runs_leaves_a_404(theatre: Theatre) -> None:
    dialog = theatre.invite(accept_latency_s=0.05)
    accepting = asyncio.create_task(dialog.post("accept", ACCEPT))
    await until(lambda: dialog.call.decided)
    dialog.call.cancel()

    assert (await accepting).status == 404


async def test_an_accept_that_works_on_paper_only_ends_in_sip_400(theatre: Theatre) -> None:
    dialog = theatre.invite(accept="dead")

    assert (await dialog.post("accept", ACCEPT)).status == 200
    with pytest.raises(Exception, match="404"):
        await dialog.attach()
    await until(lambda: dialog.carrier.heard("refused"))
    assert dialog.carrier.told[-1] == ("refused", 400)


async def test_accept_can_answer_500(theatre: Theatre) -> None:
    reply = await theatre.invite(accept="http_500").post("accept", ACCEPT)

    assert (reply.status, reply.error["type"]) == (500, "server_error")


async def test_accept_can_hang_until_the_caller_is_gone(theatre: Theatre) -> None:
    dialog = theatre.invite(accept="hang")
    accepting = asyncio.create_task(dialog.post("accept", ACCEPT))
    await until(lambda: theatre.webhooks)
    dialog.call.cancel()

    with pytest.raises(aiohttp.ClientError):
        await accepting


@pytest.mark.parametrize(("body", "code"), [({"status_code": 486}, 486), ({}, 603), (None, 603)])
async def test_reject_gives_the_carrier_its_code(theatre: Theatre, body: object, code: int) -> None:
    dialog = theatre.invite()

    reply = await dialog.post("reject", body)

    assert reply.status == 200
    assert dialog.carrier.told[-1] == ("refused", code)


@pytest.mark.parametrize("body", [{"status_code": "486"}, {"status_code": 200}, {"reason": "busy"}])
async def test_reject_takes_a_status_code_and_nothing_else(theatre: Theatre, body: object) -> None:
    assert (await theatre.invite().post("reject", body)).status == 400


async def test_hangup_ends_the_call_once(theatre: Theatre) -> None:
    dialog = await theatre.answered()

    assert (await dialog.post("hangup")).status == 200
    assert dialog.carrier.told[-1] == ("bye", None)
    assert (await dialog.post("hangup")).status == 404
