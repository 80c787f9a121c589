"""The stage on a loopback port, an application that receives its webhooks, and a carrier that only listens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

from callops.simulator.openai.call import AiCall
from callops.simulator.openai.stage import OpenAiConfig, OpenAiStage, openai_app
from callops.simulator.scenario import Scenario
from callops.simulator.sip import Invite

Json = dict[str, Any]

KEY = "sk-proj-example-example-wxyz"
PROJECT = "proj_ExampleExampleExample0001"
SECRET = "whsec_bG9jYWwtc2ltdWxhdG9yLWtleS1ub3QtYS1zZWNyZXQ="
SIP_URI = f"sip:{PROJECT}@sip.api.openai.com;transport=tls"
HEADERS = (
    ("Via", "SIP/2.0/TLS 192.0.2.24:39214;branch=z9hG4bK1"),
    ("Via", "SIP/2.0/TLS 192.0.2.25:5061;branch=z9hG4bK2"),
    ("From", '"+15550123" <sip:+15550123@pstn.twilio.com:5060>;tag=1'),
    ("Authorization", "Digest never-shown"),
    ("X-Twilio-CallSid", "CAfedcba9876543210fedcba9876543210"),
    ("X-dialedNumber", "+15550100"),
)
ACCEPT: Json = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "instructions": "You are Nora, the phone assistant of Northline Energy.",
    "audio": {
        "input": {
            "transcription": {"model": "gpt-realtime-whisper", "language": "en"},
            "turn_detection": {"type": "server_vad", "idle_timeout_ms": 8000},
        },
        "output": {"voice": "marin"},
    },
}
QUICK: Json = {
    "webhook_delay_s": 0.0,
    "accept_latency_s": 0.0,
    "sideband_ready_s": 0.0,
    "sideband_open_s": 0.0,
    "refer_latency_s": 0.0,
}


async def until(true: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait for a condition; `TimeoutError` when it does not come true in time."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0.005)


class ListeningCarrier:
    """A carrier's leg that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def ringing(self) -> None:
        self.told.append(("ringing", None))

    def answered(self) -> None:
        self.told.append(("answered", None))

    def refused(self, status: int) -> None:
        self.told.append(("refused", status))

    def bye(self) -> None:
        self.told.append(("bye", None))

    def refer(self, refer_to: str) -> None:
        self.told.append(("refer", refer_to))

    def heard(self, what: str) -> bool:
        return any(name == what for name, _ in self.told)


@dataclass
class Reply:
    """An answer of the REST side."""

    status: int
    headers: Any
    text: str

    @property
    def error(self) -> Json:
        error: Json = json.loads(self.text)["error"]
        return error


@dataclass
class Theatre:
    """Everything a test of the stage needs."""

    stage: OpenAiStage
    http: aiohttp.ClientSession
    url: str
    webhooks: list[tuple[Any, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def invite(self, *, uri: str = SIP_URI, headers: tuple[tuple[str, str], ...] = HEADERS, **scenario: Any) -> Dialog:
        """A carrier dials; latencies are zero unless the scenario says otherwise."""
        carrier = ListeningCarrier()
        leg = self.stage.invite(Invite(uri, headers, scenario=Scenario(**{**QUICK, **scenario})), carrier)
        assert isinstance(leg, AiCall)
        return Dialog(self, leg, carrier)

    async def answered(self, accept: Json = ACCEPT, **scenario: Any) -> Dialog:
        """A call that was accepted and answered."""
        dialog = self.invite(**scenario)
        assert (await dialog.post("accept", accept)).status == 200
        await until(lambda: dialog.carrier.heard("answered"))
        return dialog

    async def send(self, path: str, body: object = None, key: str = KEY, **headers: str) -> Reply:
        sent = {"Authorization": f"Bearer {key}", **headers}
        async with self.http.post(self.url + path, json=body, headers=sent) as response:
            return Reply(response.status, response.headers, await response.text())

    def recorded(self, kind: str) -> list[Json]:
        return [entry for entry in self.stage.record if entry["kind"] == kind]


@dataclass
class Dialog:
    """One call on the stage, seen from both of its sides."""

    theatre: Theatre
    call: AiCall
    carrier: ListeningCarrier

    async def post(self, verb: str, body: object = None, **more: str) -> Reply:
        return await self.theatre.send(f"/v1/realtime/calls/{self.call.id}/{verb}", body, **more)

    def attach(self, key: str = KEY, **headers: str) -> connect:
        url = f"{self.theatre.url.replace('http', 'ws', 1)}/v1/realtime?call_id={self.call.id}"
        sent = {"Authorization": f"Bearer {key}", **headers}
        return connect(url, additional_headers=sent, max_size=None, max_queue=None)


async def hear(socket: ClientConnection, kind: str) -> list[Json]:
    """Everything up to and with the first event of this type."""
    events: list[Json] = []
    async with asyncio.timeout(5):
        while not events or events[-1]["type"] != kind:
            events.append(json.loads(await socket.recv()))
    return events


async def say(socket: ClientConnection, **message: Any) -> None:
    """Send one client event."""
    await socket.send(json.dumps(message))


@asynccontextmanager
async def open_theatre(**config: Any) -> AsyncIterator[Theatre]:
    """A stage with its application on free ports; the application answers webhooks with `statuses`, then 200."""
    async with aiohttp.ClientSession() as http:
        house: list[Theatre] = []

        async def receive(request: web.Request) -> web.Response:
            theatre = house[0]
            theatre.webhooks.append((request.headers, await request.text()))
            return web.Response(status=theatre.statuses.pop(0) if theatre.statuses else 200)

        app = web.Application()
        app.router.add_post("/webhook", receive)
        webhook_url = await _serve(app)
        settings = {"gate_patience_s": 0.02, "unattended_s": 2.0, **config}
        stage = OpenAiStage(
            OpenAiConfig(KEY, PROJECT, webhook_url[0] + "/webhook", SECRET, **settings),
            http,
            caller_leaves=lambda call: house[0].left.append(call.id),
        )
        url, runner = await _serve(openai_app(stage))
        house.append(Theatre(stage, http, url))
        try:
            yield house[0]
        finally:
            await runner.cleanup()
            await webhook_url[1].cleanup()


async def _serve(app: web.Application) -> tuple[str, web.AppRunner]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}", runner
