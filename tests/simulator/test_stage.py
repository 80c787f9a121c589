from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from callops.simulator import demo
from callops.simulator.__main__ import SECRETS, SecretsMissing, read_config
from callops.simulator.openai.conversations import CONVERSATIONS
from callops.simulator.scenario import Scenario
from callops.simulator.scenarios import SCENARIOS, BadOverride, overridden
from callops.simulator.stage import Stage, StageConfig

ROOT = Path(__file__).parents[2]
PROJECT = "proj_Stage0000000000000000"
ACCOUNT, TOKEN, KEY = "AC" + "0" * 32, "f" * 32, "sk-stage-0123456789"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"stage-secret-of-24-bytes").decode()
ENVIRONMENT = {
    "OPENAI_API_KEY": KEY,
    "OPENAI_PROJECT_ID": PROJECT,
    "OPENAI_WEBHOOK_SECRET": f"{WEBHOOK_SECRET} whsec_b2xk",
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": f"{TOKEN} older",
}
FAST = {"speed": 50.0, "accept_latency_s": 0.05, "refer_latency_s": 0.05}


class App:
    """A callops of twenty lines: dials the AI, accepts its calls, asks for a transfer when told."""

    def __init__(self) -> None:
        self.stage_url = ""
        self.healthy = True
        self.nouns = 1
        self.ai_calls: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    async def respond(self, request: web.Request) -> web.Response:
        if request.path == "/webhooks/openai":
            return await self._webhook(request)
        self.seen.append((request.path, {name: str(value) for name, value in (await request.post()).items()}))
        if request.path == "/healthz":
            return web.Response(status=200 if self.healthy else 503)
        return web.Response(text=f"<Response>{self._twiml(request.path)}</Response>", content_type="text/xml")

    def _twiml(self, path: str) -> str:
        sip = f"sip:{PROJECT}@sip.api.openai.com;transport=tls;secure=true?X-Ref=1"
        return {
            "/twiml/inbound": f'<Dial answerOnBridge="true" sequential="true" action="/action" referUrl="/refer">'
            f"{f'<Sip>{sip}</Sip>' * self.nouns}</Dial>",
            "/action": "<Hangup/>",
            "/refer": '<Dial action="/done"><Number>+15550111</Number></Dial>',
            "/done": "<Hangup/>",
        }.get(path, "")

    async def _webhook(self, request: web.Request) -> web.Response:
        body = await request.text()
        stamp = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{body}"
        key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.digest(key, stamp.encode(), hashlib.sha256)).decode()
        assert f"v1,{signature}" in request.headers["webhook-signature"].split()
        call = json.loads(body)["data"]
        headers = {header["name"]: header["value"] for header in call["sip_headers"]}
        self.ai_calls[headers["X-Twilio-CallSid"]] = call["call_id"]
        accepting = asyncio.create_task(self.ask(call["call_id"], "accept", type="realtime", model="gpt-realtime-2.1"))
        request.app[TASKS].append(accepting)
        return web.Response()

    async def ask(self, call_id: str, verb: str, **body: Any) -> int:
        url = f"{self.stage_url}/v1/realtime/calls/{call_id}/{verb}"
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as response:
            return response.status


TASKS = web.AppKey("tasks", list[asyncio.Task[int]])


@asynccontextmanager
async def staged() -> AsyncIterator[tuple[Stage, App, aiohttp.ClientSession]]:
    app = App()
    outside = web.Application()
    outside[TASKS] = []
    outside.router.add_route("*", "/{tail:.*}", app.respond)
    async with TestServer(outside) as server:
        stage = Stage(read_config(str(server.make_url("")), ENVIRONMENT))
        async with stage.running() as url, aiohttp.ClientSession(base_url=url) as http:
            app.stage_url = url
            yield stage, app, http


async def until(claim: Callable[[], Any], deadline_s: float = 15.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not claim():
            await asyncio.sleep(0.01)


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json()


async def get(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with http.get(path) as response:
        found: dict[str, Any] = await response.json()
        return found


async def test_a_call_goes_through_both_halves_until_its_caller_has_said_goodbye() -> None:
    async with staged() as (stage, app, http):
        status, placed = await post(http, "/_stage/calls", scenario="short_call", **FAST)
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.ended)
        await until(lambda: any(path == "/twiml/status" for path, _ in app.seen))

        paths = [path for path, _ in app.seen]
        record = await get(http, "/_stage/record")
        assert (status, call.status) == (201, "completed")
        assert {"/twiml/inbound", "/action", "/twiml/status"} <= set(paths)
        assert any(entry["kind"] == "caller_leaves" for entry in record["openai"])
        assert any(entry.get("event") == "caller_hangs_up" for entry in record["twilio"])


async def test_a_refer_that_works_goes_from_openai_through_the_carrier_to_the_human() -> None:
    async with staged() as (stage, app, http):
        _, placed = await post(http, "/_stage/calls", scenario="refer_works", **FAST | {"human_talks_s": 30.0})
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)
        ai_leg = next(leg for leg in stage.twilio.calls.values() if leg.parent is call)
        assert await app.ask(app.ai_calls[ai_leg.sid], "refer", target_uri="tel:+15550111") == 200
        await until(lambda: call.ended)

        seen = dict(app.seen)
        assert seen["/refer"]["ReferTransferTarget"] == "<tel:+15550111>"
        assert seen["/done"]["DialBridged"] == "true"
        assert ai_leg.ended


async def test_a_caller_waits_after_a_silent_refer_only_as_long_as_their_patience() -> None:
    async with staged() as (stage, app, http):
        knobs = {**FAST, "speed": 1.0, "caller_patience_s": 0.3}
        _, placed = await post(http, "/_stage/calls", scenario="default", **knobs)
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)
        ai_leg = next(leg for leg in stage.twilio.calls.values() if leg.parent is call)
        await app.ask(app.ai_calls[ai_leg.sid], "refer", target_uri="tel:+15550111")
        await until(lambda: call.ended)

        assert "/refer" not in dict(app.seen)
        assert any(entry.get("event") == "caller_hangs_up" for entry in stage.twilio.record)


async def test_when_one_try_fails_the_next_dial_of_the_ai_works() -> None:
    async with staged() as (stage, app, http):
        app.nouns = 2
        _, placed = await post(http, "/_stage/calls", scenario="sip_503_once", **FAST)
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)

        first, second = (leg for leg in stage.twilio.calls.values() if leg.parent is call)
        assert (first.status, second.status) == ("failed", "in-progress")


async def test_a_story_tells_of_one_callers_legs_and_of_his_ai_only() -> None:
    async with staged() as (stage, _app, http):
        sids = [(await post(http, "/_stage/calls", scenario="short_call", **FAST))[1]["call_sid"] for _ in range(2)]
        await until(lambda: all(stage.twilio.calls[sid].ended for sid in sids))
        assert await get(http, "/_stage/calls?live=1") == {"calls": []}
        stories = [await get(http, f"/_stage/calls/{sid}/story") for sid in sids]

        for sid, story in zip(sids, stories, strict=True):
            caller, ai = story["legs"]
            assert (caller["call_sid"], ai["parent_call_sid"], ai["was_answered"]) == (sid, sid, True)
            assert story["over"] is True
            kinds = [entry["kind"] for entry in story["openai"]]
            assert kinds.count("sip.answered") == 1
            assert "event" not in kinds
        assert not {entry["call_sid"] for entry in stories[0]["twilio"]} & set(sids[1:])


@pytest.mark.parametrize(
    ("name", "status"), [("sip_400_no_webhook", "failed"), ("webhook_never", "failed"), ("accept_dead", "failed")]
)
async def test_an_ai_that_never_comes_is_told_to_the_action(name: str, status: str) -> None:
    async with staged() as (stage, app, http):
        _, placed = await post(http, "/_stage/calls", scenario=name, **FAST)
        await until(lambda: stage.twilio.calls[placed["call_sid"]].ended)

        action = dict(app.seen)["/action"]
        assert (action["DialCallStatus"], action["DialSipResponseCode"]) == (status, "400")


async def test_a_trunk_call_reaches_the_ai_with_the_trunks_own_headers() -> None:
    async with staged() as (stage, app, http):
        _, placed = await post(http, "/_stage/calls", scenario="trunk_refer_works", **FAST | {"human_talks_s": 30.0})
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)
        await app.ask(app.ai_calls[call.sid], "refer", target_uri="tel:+15550111")
        await until(lambda: call.ended)

        assert [leg.status for leg in stage.twilio.calls.values() if leg.parent is call] == ["completed"]
        assert app.seen == []


async def test_a_refer_that_a_trunk_refuses_is_told_at_the_apps_debugger_address() -> None:
    async with staged() as (stage, app, http):
        _, placed = await post(http, "/_stage/calls", scenario="trunk_refer_refused", **FAST)
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)
        await app.ask(app.ai_calls[call.sid], "refer", target_uri="tel:+15550111")
        await until(lambda: app.seen)

        ((path, alert),) = app.seen
        assert path == "/twiml/debugger"
        assert json.loads(alert["Payload"])["error_code"] == "32218"


async def test_a_trunk_that_cannot_reach_the_ai_asks_for_the_recovery_document() -> None:
    async with staged() as (_, app, http):
        _, placed = await post(http, "/_stage/calls", scenario="trunk_sip_400", **FAST)
        await until(lambda: app.seen)

        path, params = app.seen[0]
        assert (path, params["CallSid"]) == ("/twiml/inbound", placed["call_sid"])


async def test_the_control_door_lists_scenarios_and_calls_and_acts_as_the_caller() -> None:
    async with staged() as (stage, _, http):
        scenarios = (await get(http, "/_stage/scenarios"))["scenarios"]
        _, placed = await post(http, "/_stage/calls", **FAST | {"speed": 1.0})
        sid = placed["id"]
        await until(lambda: stage.twilio.calls[sid].answered_at is not None)
        pressed, _ = await post(http, f"/_stage/calls/{sid}/press", digit="42#")
        listed = (await get(http, "/_stage/calls"))["calls"]
        _, gone = await post(http, f"/_stage/calls/{sid}/hangup")

        keys = [entry["event"] for entry in stage.openai.record if entry["kind"] == "event"]
        assert scenarios.keys() == SCENARIOS.keys() and all(scenarios.values())
        assert pressed == 200
        assert [event["event"] for event in keys if event["type"].endswith("dtmf_event_received")] == ["4", "2", "#"]
        assert [(one["id"], one["over"]) for one in listed if one["parent_call_sid"] is None] == [(sid, False)]
        assert gone["over"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_stage/calls", {"scenario": "nonsense"}, 404),
        ("/_stage/calls", {"speeed": 2}, 422),
        ("/_stage/calls", {"speed": 0}, 422),
        ("/_stage/calls", {"refer": "maybe"}, 422),
        ("/_stage/calls", {"conversation": "nonsense"}, 422),
        ("/_stage/calls/CA0/hangup", {}, 404),
    ],
)
async def test_the_control_door_says_what_it_cannot_do(path: str, body: dict[str, Any], status: int) -> None:
    async with staged() as (stage, _, http):
        answered, said = await post(http, path, **body)

        assert answered == status
        assert said["detail"]
        assert stage.twilio.calls == {}


def test_every_scenario_names_itself_and_plays_a_conversation_that_exists() -> None:
    for name, told in SCENARIOS.items():
        assert told.scenario.name == name
        assert told.description.endswith(".")
        assert told.scenario.conversation in CONVERSATIONS


@pytest.mark.parametrize("changes", [{"speed": "fast"}, {"speed": True}, {"session_created": 1}, {"sip_refuses": 4.5}])
def test_an_override_of_the_wrong_kind_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(BadOverride):
        overridden(Scenario(), changes)


def test_missing_secrets_are_named_all_at_once_and_the_first_of_several_counts() -> None:
    config = read_config("http://127.0.0.1:8000", ENVIRONMENT)
    with pytest.raises(SecretsMissing) as missing:
        read_config("http://127.0.0.1:8000", {"OPENAI_API_KEY": "x"})

    assert config == StageConfig(
        app_url="http://127.0.0.1:8000",
        openai_api_key=KEY,
        openai_project_id=PROJECT,
        openai_webhook_secret=WEBHOOK_SECRET,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
    )
    assert all(name in str(missing.value) for name in SECRETS if name != "OPENAI_API_KEY")


def test_the_cast_plays_every_conversation_in_turn_from_fictional_numbers() -> None:
    cast = demo.Cast(Random(7))

    drawn = [cast.draw() for _ in range(1 + 40 * len(CONVERSATIONS))]

    assert set(Counter(one.conversation for one in drawn[1:]).values()) == {40}
    assert drawn[0].refer == "silent" and drawn[0].human == "answers"
    assert all(one.from_number in demo.WITHHELD or one.from_number.startswith("+155501") for one in drawn)
    refers = Counter(one.refer for one in drawn)
    assert refers["silent"] > len(drawn) / 2 and refers["works"] and refers["late"]
    assert Counter(one.human for one in drawn)["answers"] > len(drawn) / 2


async def test_demo_calls_arrive_only_once_the_app_is_healthy_and_never_too_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, "PAUSE_S", (0.01, 0.02))
    monkeypatch.setattr(demo, "ASK_AGAIN_S", 0.02)
    async with staged() as (stage, app, _):
        app.healthy = False
        calls = asyncio.create_task(demo.keep_calls_coming(stage, Random(1)))
        await until(lambda: [path for path, _ in app.seen].count("/healthz") >= 2)
        assert stage.twilio.calls == {}
        app.healthy = True
        await until(lambda: demo._live(stage) == demo.MOST_AT_ONCE)
        await until(lambda: len(app.ai_calls) >= demo.MOST_AT_ONCE - 2)

        assert demo._live(stage) <= demo.MOST_AT_ONCE
        calls.cancel()


async def test_the_program_says_on_one_line_where_it_is_and_ends_cleanly_on_sigterm() -> None:
    words = ["-m", "callops.simulator", "--port", "0", "--app", "http://127.0.0.1:9"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=os.environ | ENVIRONMENT, stdout=-1, stderr=-1
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        ready = (await process.stdout.readline()).decode()
        process.send_signal(signal.SIGTERM)
        rest, errors = await process.communicate()

    assert ready.startswith("The stage is ready on http://127.0.0.1:")
    assert (process.returncode, rest, errors) == (0, b"", b"")


async def test_the_program_without_secrets_names_them_and_fails() -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callops.simulator", "--port", "0", cwd=ROOT, env=clean, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"TWILIO_AUTH_TOKEN" in errors and b"Traceback" not in errors
