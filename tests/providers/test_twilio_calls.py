"""Redirect, end and read a leg against the recorded answers of the contract."""

import base64
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import pytest

from callops.providers import twilio
from callops.providers.receipt import NoAnswer, ProviderError, Refused
from callops.providers.twilio import calls
from tests.providers import contracts

ACCOUNT = "ACd6f0b2c94e1a4b7c9a5e83f7162c0d4e"
PARENT = "CA7b1f4c0e9d2a46e38c5b17a9f0d3e862"
HEADERS = {"Twilio-Request-Id": "RQ0123"}


class Wire:
    """A client with one answer, whose requests are kept."""

    def __init__(self, status: int, text: str, base_url: str = "https://twilio.test", **key: str) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = (status, text)
        self.http = twilio.client(base_url, ACCOUNT, "token", **key, transport=httpx.MockTransport(self._reply))

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self._answer[0], headers=HEADERS, text=self._answer[1])

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.requests[0].content.decode())


def recorded(name: str, status: int = 200) -> Wire:
    return Wire(status, contracts.raw(f"twilio/{name}.json").decode())


async def test_a_redirect_names_the_document_and_its_fallback() -> None:
    wire = recorded("call-update-200")

    receipt = await calls.redirect(
        wire.http, account_sid=ACCOUNT, call_sid=PARENT, url="https://a.test/t?x=1&y=2", fallback_url="https://a.test/f"
    )

    assert wire.requests[0].method == "POST"
    assert wire.requests[0].url.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{PARENT}.json"
    assert wire.form == {
        "Url": ["https://a.test/t?x=1&y=2"],
        "Method": ["POST"],
        "FallbackUrl": ["https://a.test/f"],
        "FallbackMethod": ["POST"],
    }
    assert receipt.request_id == "RQ0123"
    assert receipt.absent == ()


async def test_without_a_fallback_none_is_sent() -> None:
    wire = recorded("call-update-200")

    await calls.redirect(wire.http, account_sid=ACCOUNT, call_sid=PARENT, url="https://a.test/t")

    assert wire.form == {"Url": ["https://a.test/t"], "Method": ["POST"]}


async def test_a_leg_is_ended_by_its_status() -> None:
    wire = recorded("call-update-completed-200")

    receipt = await calls.complete(wire.http, account_sid=ACCOUNT, call_sid=PARENT)

    assert wire.form == {"Status": ["completed"]}
    assert receipt.is_ok


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("call-update-21220", 400, 21220), ("error-20003", 401, 20003), ("error-20404", 404, 20404),
     ("error-20429", 429, 20429)],
)  # fmt: skip
async def test_a_refusal_carries_the_carriers_code(name: str, status: int, code: int) -> None:
    with pytest.raises(Refused) as caught:
        await calls.redirect(recorded(name, status).http, account_sid=ACCOUNT, call_sid=PARENT, url="https://a.test/")

    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.message


async def test_a_refusal_in_html_has_no_code() -> None:
    wire = Wire(503, "<html><body>Service Unavailable</body></html>")

    with pytest.raises(Refused) as caught:
        await calls.complete(wire.http, account_sid=ACCOUNT, call_sid=PARENT)

    assert (caught.value.status, caught.value.code) == (503, None)
    assert "Service Unavailable" in caught.value.receipt.body


async def test_a_lost_answer_is_unknown_not_failed() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    async with twilio.client("https://twilio.test", ACCOUNT, "token", transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(NoAnswer) as caught:
            await calls.redirect(http, account_sid=ACCOUNT, call_sid=PARENT, url="https://a.test/")

    assert caught.value.reason == "timeout"


async def test_a_live_leg_is_read() -> None:
    call = await calls.fetch(recorded("call-get").http, account_sid=ACCOUNT, call_sid=PARENT)

    assert (call.sid, call.parent_sid, call.status, call.direction) == (PARENT, None, "in-progress", "inbound")
    assert (call.from_, call.to) == ("+14155550142", "+14155550100")
    assert call.start_time == datetime(2026, 11, 22, 14, 3, 7, tzinfo=UTC)
    assert call.end_time is None
    assert call.trunk_sid is None
    assert not call.is_over
    assert call.receipt.request_id == "RQ0123"


async def test_a_trunk_leg_that_is_over_is_read() -> None:
    call = await calls.fetch(recorded("trunk-call-get-completed").http, account_sid=ACCOUNT, call_sid=PARENT)

    assert call.is_over
    assert call.trunk_sid == "TK08b4e1c69d7f4a2db35c9e0f71a6d842"
    assert call.end_time is not None


async def test_the_legs_made_for_a_leg_are_listed() -> None:
    wire = recorded("call-list-after-transfer")

    human, ai = await calls.children(wire.http, account_sid=ACCOUNT, parent_sid=PARENT)

    assert wire.requests[0].url.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert wire.requests[0].url.params["ParentCallSid"] == PARENT
    assert (human.parent_sid, human.to, human.is_over) == (PARENT, "+14155550177", False)
    assert ai.is_over


async def test_no_legs_is_an_empty_list() -> None:
    legs = await calls.children(recorded("call-list-empty").http, account_sid=ACCOUNT, parent_sid=PARENT)

    assert legs == ()


@pytest.mark.parametrize("body", ["{}", '{"calls": 5}', '{"calls": [5]}', '{"calls": [{"sid": ""}]}', "<html>"])
async def test_an_answer_that_is_no_list_of_legs_is_an_error_with_its_receipt(body: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await calls.children(Wire(200, body).http, account_sid=ACCOUNT, parent_sid=PARENT)

    assert caught.value.receipt is not None


@pytest.mark.parametrize(
    ("key", "pair"),
    [
        ({}, f"{ACCOUNT}:token"),
        ({"api_key_sid": "SK1", "api_key_secret": "s"}, "SK1:s"),
        ({"api_key_sid": "SK1"}, f"{ACCOUNT}:token"),
    ],
)
async def test_the_api_key_is_used_when_it_is_whole(key: dict[str, str], pair: str) -> None:
    wire = Wire(200, contracts.raw("twilio/call-get.json").decode(), **key)

    await calls.fetch(wire.http, account_sid=ACCOUNT, call_sid=PARENT)

    sent = wire.requests[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == pair


@pytest.mark.parametrize(
    "base_url",
    ["https://space.carrier.test/api/laml", "https://space.carrier.test/api/laml/",
     "https://space.carrier.test/api/laml/2010-04-01"],
)  # fmt: skip
async def test_a_carrier_with_a_path_in_its_base_url_and_uuids_is_served(base_url: str) -> None:
    uuid = "8f0e6b52-6c9d-4a53-9c67-0c3f4f8a1e2d"
    wire = Wire(200, json.dumps({"sid": uuid, "status": "completed"}), base_url)

    call = await calls.fetch(wire.http, account_sid=uuid, call_sid=uuid)

    assert call.sid == uuid
    assert wire.requests[0].url.path == f"/api/laml/2010-04-01/Accounts/{uuid}/Calls/{uuid}.json"


@pytest.mark.parametrize("sid", ["", "../../x", "CA1/Recordings", "CA1.json?x", "é"])
async def test_a_sid_that_could_bend_the_url_is_never_sent(sid: str) -> None:
    wire = recorded("call-get")

    with pytest.raises(ValueError, match="sid"):
        await calls.fetch(wire.http, account_sid=ACCOUNT, call_sid=sid)
    with pytest.raises(ValueError, match="sid"):
        await calls.children(wire.http, account_sid=ACCOUNT, parent_sid=sid)

    assert wire.requests == []


def paged(*pages: tuple[list[str], str | None]) -> tuple[httpx.AsyncClient, list[httpx.Request]]:
    """A carrier whose list of live calls has these pages for each status."""
    asked: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        sids, following = pages[int(request.url.params.get("Page", "0"))]
        status = request.url.params["Status"]
        listed = [{"sid": f"{sid}{status[:1]}", "status": status} for sid in sids]
        return httpx.Response(200, headers=HEADERS, json={"calls": listed, "next_page_uri": following and following})

    return twilio.client("https://twilio.test", ACCOUNT, "token", transport=httpx.MockTransport(reply)), asked


async def test_all_legs_that_are_up_are_listed_page_by_page_and_status_by_status() -> None:
    following = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Status=ringing&Page=1"
    http, asked = paged((["CA1"], following), (["CA2"], None))

    found = await calls.live(http, account_sid=ACCOUNT)

    assert {request.url.params["Status"] for request in asked} == {"queued", "ringing", "in-progress"}
    assert found == {"CA1q", "CA1r", "CA1i", "CA2r"}


async def test_a_list_of_live_legs_without_an_end_is_no_answer() -> None:
    following = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Status=ringing&Page=0"
    http, _ = paged((["CA1"], following))

    with pytest.raises(ProviderError, match="no end"):
        await calls.live(http, account_sid=ACCOUNT)


async def test_an_answer_that_holds_no_list_is_no_answer() -> None:
    with pytest.raises(ProviderError, match="no list"):
        await calls.live(recorded("call-get").http, account_sid=ACCOUNT)
