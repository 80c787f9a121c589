"""A small app that hands out TwiML, an AI that does what a test says, and the Twilio half between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator

from callops.simulator.scenario import Scenario
from callops.simulator.sip import AiLeg, CarrierLeg, Invite
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.stage import TwilioStage

ACCOUNT = "ACd6f0b2c94e1a4b7c9a5e83f7162c0d4e"
TOKEN = "3f9c1d7e5b2a48069e1cd4f8a7b06352"
PROJECT = "sip:proj_Stage@sip.api.openai.com;transport=tls"
FAST = Scenario(speed=50.0)

Responder = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]


def twiml(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'


def ai_dial(attributes: str = 'action="/action" referUrl="/refer" answerOnBridge="true"', headers: str = "") -> str:
    events = 'statusCallback="/leg" statusCallbackEvent="initiated ringing answered completed"'
    return twiml(f"<Dial {attributes}><Sip {events}>{PROJECT}{headers}</Sip></Dial>")


def human_dial(attributes: str = 'action="/human-action"', noun: str = "") -> str:
    events = 'statusCallback="/human" statusCallbackEvent="initiated ringing answered completed"'
    return twiml(f"<Dial {attributes}><Number {events} {noun}>+15550111</Number></Dial>")


@dataclass(eq=False)
class Dialog:
    """One INVITE as the AI sees it, and what the carrier did to it."""

    invite: Invite
    carrier: CarrierLeg
    said: list[str] = field(default_factory=list)

    def cancel(self) -> None:
        self.said.append("cancel")

    def bye(self) -> None:
        self.said.append("bye")

    def dtmf(self, key: str) -> None:
        self.said.append(f"dtmf {key}")


class FakeAi:
    """Answers every INVITE at once unless told otherwise."""

    def __init__(self) -> None:
        self.dialogs: list[Dialog] = []
        self.answers = True
        self.refuses: int | None = None

    def invite(self, invite: Invite, carrier: CarrierLeg) -> AiLeg:
        dialog = Dialog(invite, carrier)
        self.dialogs.append(dialog)
        asyncio.get_running_loop().call_soon(self._react, dialog)
        return dialog

    def _react(self, dialog: Dialog) -> None:
        if self.refuses is not None:
            dialog.carrier.refused(self.refuses)
            return
        dialog.carrier.ringing()
        if self.answers:
            dialog.carrier.answered()


@dataclass
class Seen:
    """One request to the app."""

    path: str
    method: str
    params: dict[str, str]
    headers: Mapping[str, str]
    signed: bool


class App:
    """Answers by path: a text is TwiML, a callable answers itself; everything else is 204."""

    def __init__(self) -> None:
        self.answers: dict[str, str | Responder] = {}
        self.seen: list[Seen] = []
        self.token = TOKEN

    async def respond(self, request: web.Request) -> web.StreamResponse:
        params = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        signed = RequestValidator(self.token).validate(str(request.url), params, signature)
        self.seen.append(Seen(request.path, request.method, params, request.headers, signed))
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response(status=204)
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/xml")
        return await answer(request, params)

    def at(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path]


@dataclass
class Theatre:
    """Everything a test needs of one running Twilio half."""

    app: App
    ai: FakeAi
    stage: TwilioStage
    http: aiohttp.ClientSession
    app_url: str
    api_url: str

    async def until(self, claim: Callable[[], Any], deadline_s: float = 10.0) -> None:
        async with asyncio.timeout(deadline_s):
            while not claim():
                await asyncio.sleep(0.01)

    def call(self, scenario: Scenario = FAST, **changes: Any) -> Call:
        return self.stage.calls[self.stage.place_call(replace(scenario, **changes))]

    async def live_call(self, **changes: Any) -> Call:
        call = self.call(**changes)
        await self.until(lambda: call.answered_at is not None)
        return call

    async def ended(self, call: Call) -> None:
        await self.until(lambda: call.ended)

    async def seen(self, path: str, count: int = 1) -> Seen:
        await self.until(lambda: len(self.app.at(path)) >= count)
        return self.app.at(path)[count - 1]

    def children(self, call: Call) -> list[Call]:
        return [other for other in self.stage.calls.values() if other.parent is call]

    def alerts(self) -> list[int]:
        return [entry["code"] for entry in self.stage.record if entry["kind"] == "alert"]

    def notes(self, call: Call) -> list[str]:
        return [
            entry["event"] for entry in self.stage.record if entry["kind"] == "leg" and entry["call_sid"] == call.sid
        ]

    async def rest(
        self, method: str, path: str, auth: tuple[str, str] | None = (ACCOUNT, TOKEN), **form: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        headers = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
        url = f"{self.api_url}{path}"
        async with self.http.request(method, url, data=form or None, headers=headers) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text(), response.headers

    async def update(self, call: Call, **form: str) -> tuple[int, Any, Mapping[str, str]]:
        return await self.rest(
            "POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json", (ACCOUNT, TOKEN), **form
        )


@asynccontextmanager
async def theatre(**config: Any) -> AsyncIterator[Theatre]:
    app, ai = App(), FakeAi()
    outside = web.Application()
    outside.router.add_route("*", "/{tail:.*}", app.respond)
    async with TestServer(outside) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("")).rstrip("/")
        paths = {name: url + value for name, value in config.items() if value[:1] == "/"}
        settings = {"voice_url": f"{url}/twiml/inbound", "status_url": f"{url}/status"} | config | paths
        stage = TwilioStage(TwilioConfig(ACCOUNT, TOKEN, **settings), http, ai)
        carrier = web.Application()
        carrier.router.add_routes(stage.routes())
        async with TestServer(carrier, shutdown_timeout=0.1) as api:
            try:
                yield Theatre(app, ai, stage, http, url, str(api.make_url("")).rstrip("/"))
            finally:
                await stage.close()
