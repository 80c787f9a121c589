from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from tests.simulator.twilio.theatre import ai_dial, theatre, twiml

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"


def example(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((CONTRACTS / f"{name}.json").read_text())
    return found


async def test_the_first_request_of_a_call_is_signed_and_has_the_documented_parameters() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml("<Hangup/>")

        call = t.call()
        await t.ended(call)

        seen = t.app.at("/twiml/inbound")[0]
        assert seen.signed
        assert seen.params.keys() == example("voice-inbound").keys()
        assert seen.params["CallStatus"] == "ringing"
        assert seen.params["From"] == seen.params["Caller"] == "+15550123"
        assert seen.headers["User-Agent"] == "TwilioProxy/1.1"
        assert seen.headers["I-Twilio-Idempotency-Token"]


@pytest.mark.parametrize("number", ["anonymous", "+266696687"])
async def test_a_withheld_number_has_no_place(number: str) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml("<Hangup/>")

        await t.ended(t.call(from_number=number))

        params = t.app.at("/twiml/inbound")[0].params
        assert params["From"] == number
        assert "FromCity" not in params


async def test_an_empty_response_hangs_up_and_the_number_hears_of_the_end_once() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml("")

        call = t.call()
        status = await t.seen("/status")

        assert call.status == "no-answer"
        assert status.signed
        assert status.params["CallSid"] == call.sid
        assert status.params.keys() == example("call-status-completed").keys()


async def test_a_rejected_call_is_busy_and_never_answered() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml('<Reject reason="busy"/>')

        call = t.call()
        await t.ended(call)

        assert call.status == "busy"
        assert call.answered_at is None


def answer(**kwargs: object) -> object:
    async def respond(request: web.Request, params: Mapping[str, str]) -> web.Response:
        return web.Response(**kwargs)

    return respond


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({"status": 500}, "11200"),
        ({"status": 404, "text": twiml("<Hangup/>"), "content_type": "text/xml"}, "11200"),
        ({"text": "{}", "content_type": "application/json"}, "12300"),
        ({"text": "<Response>", "content_type": "text/xml"}, "12100"),
        ({"text": twiml("<Conect/>"), "content_type": "text/xml"}, "12200"),
        ({"text": twiml(f"<Say>{'a' * 70000}</Say>"), "content_type": "text/xml"}, "11750"),
        ({"status": 302, "headers": {"Location": "/twiml/inbound"}}, "11215"),
    ],
)
async def test_a_document_that_cannot_be_run_goes_to_the_fallback_with_the_reason(
    response: dict[str, object], code: str
) -> None:
    async with theatre(fallback_url="/fallback") as t:
        t.app.answers["/twiml/inbound"] = answer(**response)  # type: ignore[assignment]
        t.app.answers["/fallback"] = twiml("<Say>One moment.</Say><Hangup/>")

        call = t.call()
        await t.ended(call)

        params = t.app.at("/fallback")[0].params
        assert params["ErrorCode"] == code
        assert params["ErrorUrl"] == f"{t.app_url}/twiml/inbound"
        assert params.keys() == example("fallback-request").keys()
        assert t.alerts() == [int(code)]
        assert "said" in t.notes(call)


async def test_without_a_fallback_the_caller_hears_an_application_error_and_is_cut_off() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = answer(status=500)  # type: ignore[assignment]

        call = t.call()
        await t.ended(call)

        assert "application_error" in t.notes(call)
        assert t.alerts() == [11200]


async def test_a_failing_url_is_asked_again_as_its_fragment_says_with_the_same_token() -> None:
    async with theatre(voice_url="/twiml/inbound#rc=2&rp=5xx") as t:
        t.app.answers["/twiml/inbound"] = answer(status=503)  # type: ignore[assignment]

        await t.ended(t.call())

        tokens = {seen.headers["I-Twilio-Idempotency-Token"] for seen in t.app.at("/twiml/inbound")}
        assert len(t.app.at("/twiml/inbound")) == 3
        assert len(tokens) == 1
        assert all(seen.signed for seen in t.app.seen)


async def test_a_5xx_is_not_asked_again_by_default() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = answer(status=503)  # type: ignore[assignment]

        await t.ended(t.call())

        assert len(t.app.at("/twiml/inbound")) == 1


async def test_a_url_that_does_not_answer_in_its_time_is_a_connection_failure() -> None:
    async def sleep(request: web.Request, params: Mapping[str, str]) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with theatre(voice_url="/twiml/inbound#rt=150&rc=0") as t:
        t.app.answers["/twiml/inbound"] = sleep

        await t.ended(t.call())

        assert t.alerts() == [11205]


async def test_redirects_of_http_are_followed_and_signed_anew() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = answer(status=307, headers={"Location": "/elsewhere"})  # type: ignore[assignment]
        t.app.answers["/elsewhere"] = twiml("<Hangup/>")

        call = t.call()
        await t.ended(call)

        assert t.app.at("/elsewhere")[0].signed
        assert t.app.at("/elsewhere")[0].params["CallSid"] == call.sid


async def test_plain_text_is_read_aloud_and_runs_as_twiml_when_it_is() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = answer(text="Good morning")  # type: ignore[assignment]

        call = t.call()
        await t.ended(call)

        said = [entry["text"] for entry in t.stage.record if entry.get("event") == "said"]
        assert said == ["Good morning"]


async def test_keys_pressed_in_a_gather_reach_its_action() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml('<Gather action="/keys" numDigits="2" timeout="600"/><Hangup/>')
        t.app.answers["/keys"] = twiml("<Hangup/>")

        call = await t.live_call()
        t.stage.press(call.sid, "4")
        t.stage.press(call.sid, "2")
        await t.ended(call)

        assert t.app.at("/keys")[0].params["Digits"] == "42"


async def test_a_sha256_shared_key_signs_every_webhook() -> None:
    async with theatre(sha256_shared_key="sk_stage") as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()

        headers = t.app.at("/twiml/inbound")[0].headers
        assert headers["X-Twilio-Webhooks-Signature-Settings"].endswith("algorithm=HMAC_SHA256")
        t.stage.hang_up_caller(call.sid)
        await t.ended(call)


async def test_the_debugger_webhook_hears_of_every_alert() -> None:
    async with theatre(debugger_url="/debugger") as t:
        t.app.answers["/twiml/inbound"] = answer(status=500)  # type: ignore[assignment]

        call = t.call()
        seen = await t.seen("/debugger")

        payload = json.loads(seen.params["Payload"])
        assert seen.signed
        assert seen.params.keys() == example("debugger-13802").keys()
        assert payload["error_code"] == "11200"
        assert payload["resource_sid"] == call.sid
