"""Accept, reject, hang up and refer against the recorded answers of the contract."""

import json
from typing import Any

import httpx
import pytest

from callops.providers import openai
from callops.providers.openai import calls
from callops.providers.openai.session import InvalidSession
from callops.providers.receipt import Refused
from tests.providers import contracts

CALL_ID = "rtc_u1_EmLyXSbXOIkDj8Q6xzR8t"
EXAMPLES = [e for e in contracts.read("openai/http-examples.json") if e["request"]["method"] == "POST"]
SESSION = EXAMPLES[0]["request"]["body"]


def named(name: str) -> dict[str, Any]:
    return next(example for example in EXAMPLES if example["name"] == name)


class Wire:
    """A client whose one answer is an example and whose requests are kept."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer
        self.http = openai.client("https://openai.test/v1", "sk-test", transport=httpx.MockTransport(self._reply))

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = self._answer["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        headers = {k: v for k, v in self._answer.get("headers", {}).items() if k != "content-length"}
        return httpx.Response(self._answer["status"], headers=headers, text=content)


async def perform(wire: Wire, example: dict[str, Any]) -> Any:
    verb, body = example["request"]["path"].rpartition("/")[2], example["request"].get("body", {})
    match verb:
        case "accept":
            return await calls.accept(wire.http, CALL_ID, body or SESSION)
        case "reject":
            return await calls.reject(wire.http, CALL_ID, status_code=body.get("status_code"))
        case "hangup":
            return await calls.hangup(wire.http, CALL_ID)
        case "refer":
            return await calls.refer(wire.http, CALL_ID, target_uri=body.get("target_uri", "tel:+13125550177"))
    raise AssertionError(verb)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
async def test_every_recorded_answer_becomes_a_receipt_or_a_refusal(example: dict[str, Any]) -> None:
    wire, answer = Wire(example["response"]), example["response"]

    if answer["status"] == 200:
        receipt = await perform(wire, example)
    else:
        with pytest.raises(Refused) as caught:
            await perform(wire, example)
        receipt = caught.value.receipt
        assert caught.value.code == answer["body"]["error"]["code"]
        assert caught.value.message == answer["body"]["error"]["message"]

    assert receipt.status == answer["status"]
    assert receipt.request_id == answer.get("headers", {}).get("x-request-id")
    assert wire.requests[0].url.path == example["request"]["path"]
    if answer["status"] == 200 and "body" in example["request"]:
        assert json.loads(wire.requests[0].content) == example["request"]["body"]


async def test_a_refer_that_fails_silently_is_told_by_what_is_absent() -> None:
    silent = await perform(Wire(named("refer that fails silently")["response"]), named("refer that fails silently"))
    working = await perform(Wire(named("refer that works")["response"]), named("refer that works"))

    assert silent.is_ok
    assert silent.absent == ("x-request-id", "openai-processing-ms")
    assert working.absent == ()
    assert working.processing_ms == 384


async def test_the_request_carries_the_key_and_never_the_beta_header() -> None:
    wire = Wire(named("hang up")["response"])

    await calls.hangup(wire.http, CALL_ID)

    headers = wire.requests[0].headers
    assert headers["authorization"] == "Bearer sk-test"
    assert headers["accept"] == "*/*"
    assert headers["content-length"] == "0"
    assert "openai-beta" not in headers


async def test_a_bad_session_is_never_sent() -> None:
    wire = Wire(named("hang up")["response"])

    with pytest.raises(InvalidSession):
        await calls.accept(wire.http, CALL_ID, {"type": "realtime", "voice": "marin"})

    assert wire.requests == []


@pytest.mark.parametrize("call_id", ["", "../x", "rtc/1", "rtc?x=1", "rtc#", "rtc 1", "rtc\n", "é", "a" * 65])
async def test_a_call_id_that_could_bend_the_url_is_never_sent(call_id: str) -> None:
    wire = Wire(named("hang up")["response"])

    with pytest.raises(ValueError, match="call_id"):
        await calls.hangup(wire.http, call_id)

    assert wire.requests == []


@pytest.mark.parametrize(
    "target",
    ["", "tel:5550100", "+13125550177", "sip:desk", "sips:desk@example.com", "sip:a@b\r\nX: y", "<sip:a@b>",
     "sip:a@example.com?X-A=1", "sip:a%0d%0a@example.com", "http://example.com", "sip:a@" + "b" * 300],
)  # fmt: skip
async def test_a_target_that_is_no_telephone_address_is_never_sent(target: str) -> None:
    wire = Wire(named("hang up")["response"])

    with pytest.raises(ValueError, match="target"):
        await calls.refer(wire.http, CALL_ID, target_uri=target)

    assert wire.requests == []


@pytest.mark.parametrize("status_code", [0, 200, 299, 700])
async def test_a_rejection_is_a_final_sip_status(status_code: int) -> None:
    with pytest.raises(ValueError, match="SIP rejection"):
        await calls.reject(Wire(named("hang up")["response"]).http, CALL_ID, status_code=status_code)


async def test_without_a_key_the_request_still_goes_out_for_openai_to_refuse() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(401, json=named("wrong key")["response"]["body"])

    async with openai.client("https://openai.test/v1/", " ", transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(Refused) as caught:
            await calls.hangup(http, CALL_ID)

    assert caught.value.code == "invalid_api_key"
    assert "authorization" not in asked[0].headers
