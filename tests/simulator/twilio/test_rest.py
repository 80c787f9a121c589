from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.simulator.twilio.theatre import ACCOUNT, TOKEN, ai_dial, theatre

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"


def keys_of(name: str) -> set[str]:
    return set(json.loads((CONTRACTS / f"{name}.json").read_text()))


@pytest.mark.parametrize("auth", [None, (ACCOUNT, "wrong"), ("SK1", "wrong"), ("", "")])
async def test_bad_credentials_are_20003(auth: tuple[str, str] | None) -> None:
    async with theatre() as t:
        status, error, _ = await t.rest("GET", f"{CALLS}.json", auth=auth)

        assert (status, error) == (401, json.loads((CONTRACTS / "error-20003.json").read_text()))


async def test_an_api_key_and_its_secret_are_good_credentials() -> None:
    async with theatre(api_key_sid="SK1", api_key_secret="secret") as t:
        status, _, _ = await t.rest("GET", f"{CALLS}.json", auth=("SK1", "secret"))

        assert status == 200


async def test_an_unknown_call_is_20404() -> None:
    async with theatre() as t:
        for method in ("GET", "POST"):
            status, error, _ = await t.rest(method, f"{CALLS}/CA00000000000000000000000000000000.json")

            assert (status, error) == (404, json.loads((CONTRACTS / "error-20404.json").read_text()))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"Url": "/relative"}, 21205),
        ({"Url": "ftp://calls.example.com/x"}, 21205),
        ({"Url": "http://calls.example.com/x", "FallbackUrl": "nowhere"}, 21205),
        ({"Url": "http://calls.example.com/x", "Twiml": "<Response/>"}, 20001),
        ({"Url": "http://calls.example.com/x", "Method": "PUT"}, 20001),
        ({"Twiml": "<Response>" + "a" * 4000}, 20001),
        ({"Status": "busy"}, 20001),
    ],
)
async def test_a_form_the_carrier_does_not_take_is_refused_and_changes_nothing(form: dict[str, str], code: int) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()
        status, error, _ = await t.update(call, **form)

        assert (status, error["code"]) == (400, code)
        assert call.status == "in-progress" and "redirected" not in t.notes(call)


async def test_a_call_reads_as_in_the_contract() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call(from_number="+14155550142")
        _, body, _ = await t.rest("GET", f"{CALLS}/{call.sid}.json")

        example = json.loads((CONTRACTS / "call-get.json").read_text())
        assert body.keys() == example.keys()
        assert body["subresource_uris"].keys() == example["subresource_uris"].keys()
        assert (body["status"], body["direction"], body["duration"]) == ("in-progress", "inbound", None)
        assert body["from_formatted"] == "(415) 555-0142"


async def test_calls_are_listed_newest_first_filtered_and_paged() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        first = await t.live_call()
        second = await t.live_call(from_number="+15550124")
        _, children, _ = await t.rest("GET", f"{CALLS}.json?ParentCallSid={first.sid}")
        _, callers, _ = await t.rest("GET", f"{CALLS}.json?To=%2B15550100&PageSize=1")
        _, rest_of_them, _ = await t.rest("GET", callers["next_page_uri"])
        _, none, _ = await t.rest("GET", f"{CALLS}.json?Status=completed")
        _, future, _ = await t.rest("GET", f"{CALLS}.json?StartTime%3E=2999-01-01T00%3A00%3A00Z")

        assert children.keys() == keys_of("call-list")
        assert [one["sid"] for one in children["calls"]] == [t.children(first)[0].sid]
        assert [one["sid"] for one in callers["calls"]] == [second.sid]
        assert [one["sid"] for one in rest_of_them["calls"]] == [first.sid]
        assert rest_of_them["next_page_uri"] is None
        assert none["calls"] == future["calls"] == []


async def test_alerts_and_notifications_tell_the_same_story() -> None:
    async with theatre() as t:
        t.ai.refuses = 503
        t.app.answers["/twiml/inbound"] = ai_dial("")

        call = t.call()
        await t.ended(call)
        _, notifications, _ = await t.rest("GET", f"{CALLS}/{call.sid}/Notifications.json")
        _, warnings, _ = await t.rest("GET", "/v1/Alerts?LogLevel=warning")
        _, errors, _ = await t.rest("GET", "/v1/Alerts?LogLevel=error")

        assert [(one["error_code"], one["log"]) for one in notifications["notifications"]] == [("32011", "1")]
        assert [(one["error_code"], one["resource_sid"]) for one in warnings["alerts"]] == [("32011", call.sid)]
        assert errors["alerts"] == []


async def test_the_events_of_a_call_can_be_read_only_long_after_its_end() -> None:
    async with theatre() as t:
        t.ai.refuses = 503
        t.app.answers["/twiml/inbound"] = ai_dial("")

        call = t.call(speed=2000.0)
        _, early, _ = await t.rest("GET", f"{CALLS}/{call.sid}/Events.json")
        await t.ended(call)
        async with asyncio.timeout(10):
            while not (late := (await t.rest("GET", f"{CALLS}/{call.sid}/Events.json"))[1])["events"]:
                await asyncio.sleep(0.05)

        assert early["events"] == []
        assert late["events"][0]["request"]["url"].endswith("/twiml/inbound")


async def test_the_official_library_reads_lists_redirects_and_understands_refusals() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        call = await t.live_call()
        client = Client(ACCOUNT, TOKEN, environment={"_": ""}, http_client=TwilioHttpClient(timeout=5))
        client.api.base_url = client.monitor.base_url = client.trunking.base_url = t.api_url
        target = f"{t.app_url}/transfer"

        listed = await asyncio.to_thread(client.calls.list, parent_call_sid=call.sid)
        updated = await asyncio.to_thread(lambda: client.calls(call.sid).update(url=target, method="POST"))
        alerts = await asyncio.to_thread(client.monitor.v1.alerts.list)
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(lambda: client.calls(call.sid).update(url="nowhere"))

        assert [one.sid for one in listed] == [t.children(call)[0].sid]
        assert updated.status == "in-progress"
        assert alerts == []
        assert (refused.value.status, refused.value.code) == (400, 21205)


async def test_every_rest_request_is_on_the_record_with_its_answer() -> None:
    async with theatre() as t:
        await t.rest("GET", f"{CALLS}.json?To=%2B15550100")

        (entry,) = [one for one in t.stage.record if one["kind"] == "rest"]
        assert (entry["method"], entry["status"], entry["query"]) == ("GET", 200, {"To": "+15550100"})
        assert json.loads(entry["answer"])["calls"] == []
