"""Both providers on one port: OpenAI under `/v1/realtime`, Twilio under `/2010-04-01`, control under `/_stage`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp
from aiohttp import web

from callops.simulator.control import Control
from callops.simulator.openai.conversations import CONVERSATIONS
from callops.simulator.openai.stage import AiCall, OpenAiConfig, OpenAiStage
from callops.simulator.scenario import Scenario
from callops.simulator.scenarios import BadOverride
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.stage import TwilioStage

HANDSHAKES_MAY_TAKE_S = 1.0
CARRIER_PATHS = ("/2010-04-01/", "/v1/Alerts", "/v1/Trunks/")


async def _name_carrier_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Twilio names every REST answer, so that support can find it."""
    if request.path.startswith(CARRIER_PATHS):
        response.headers["Twilio-Request-Id"] = f"RQ{uuid4().hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """Where the app is, and the secrets both sides share."""

    app_url: str
    openai_api_key: str
    openai_project_id: str
    openai_webhook_secret: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_api_key_sid: str = ""
    twilio_api_key_secret: str = ""
    voice_path: str = "/twiml/inbound"
    status_path: str = "/twiml/status"
    openai_webhook_path: str = "/webhooks/openai"
    fallback_path: str | None = None
    debugger_path: str | None = "/twiml/debugger"
    recovery_path: str | None = "/twiml/inbound?mode=recovery"

    def twilio(self) -> TwilioConfig:
        """The account and the number as the app's owner would set them up."""
        app = self.app_url.rstrip("/")
        return TwilioConfig(
            self.twilio_account_sid,
            self.twilio_auth_token,
            self.twilio_api_key_sid,
            self.twilio_api_key_secret,
            voice_url=app + self.voice_path,
            fallback_url=app + self.fallback_path if self.fallback_path else None,
            status_url=app + self.status_path,
            debugger_url=app + self.debugger_path if self.debugger_path else None,
            trunk_origination_url=f"sip:{self.openai_project_id}@sip.api.openai.com;transport=tls",
            disaster_recovery_url=app + self.recovery_path if self.recovery_path else None,
        )

    def openai(self) -> OpenAiConfig:
        """The project as the app's owner would set it up."""
        return OpenAiConfig(
            api_key=self.openai_api_key,
            project_id=self.openai_project_id,
            webhook_url=self.app_url.rstrip("/") + self.openai_webhook_path,
            webhook_secret=self.openai_webhook_secret,
        )


class Stage:
    """Both halves and the people between them. Enter it (`async with`) on the loop it is to live on."""

    twilio: TwilioStage
    openai: OpenAiStage

    def __init__(self, config: StageConfig) -> None:
        self.config = config

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.openai = OpenAiStage(self.config.openai(), self._http, self._caller_leaves)
        self.twilio = TwilioStage(self.config.twilio(), self._http, self.openai)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.twilio.close()
        await self.openai.close()
        await self._http.close()

    @asynccontextmanager
    async def running(self, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
        """Serve both halves on a port (0: any free one) and yield the stage's address."""
        async with self:
            runner = web.AppRunner(self._app(), shutdown_timeout=HANDSHAKES_MAY_TAKE_S)
            await runner.setup()
            try:
                site = web.TCPSite(runner, host, port)
                await site.start()
                yield f"http://{host}:{runner.addresses[0][1]}"
            finally:
                await self.twilio.close()
                await self.openai.close()
                await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._watch_refers, self._watch_redirects])
        app.on_response_prepare.append(_name_carrier_answer)
        app.add_routes([*self.openai.routes(), *self.twilio.routes(), *Control(self).routes()])
        return app

    def place_call(self, scenario: Scenario) -> str:
        """Let somebody call; the SID of the caller's leg. Raises `BadOverride` for a conversation nobody knows."""
        if scenario.conversation not in CONVERSATIONS:
            raise BadOverride(f"conversation cannot be {scenario.conversation!r}")
        return self.twilio.place_call(scenario)

    def let_refer_leave(self, call: Call) -> None:
        """The REFER that was asked for last on this caller's call leaves now, whatever the scenario had in mind."""
        for ai_call in self._ai_calls_of(call.caller):
            ai_call.coincidences.let_refer_leave()

    def record(self, call: Call | None = None) -> dict[str, list[dict[str, Any]]]:
        """What both halves wrote down, each in its own order: all of it, or of one leg and its caller's AI calls."""
        if call is None:
            return {"openai": self.openai.record, "twilio": self.twilio.record}
        ids = {ai_call.id for ai_call in self._ai_calls_of(call.caller)}
        return {
            "openai": [entry for entry in self.openai.record if entry.get("call_id") in ids],
            "twilio": [entry for entry in self.twilio.record if entry.get("call_sid") == call.sid],
        }

    def _caller_leaves(self, ai_call: AiCall) -> None:
        self._tell_caller(ai_call, self.twilio.conversation_over)

    def _tell_caller(self, ai_call: AiCall, word: Callable[[str], None]) -> None:
        sid = ai_call.header("X-Twilio-CallSid")
        if sid is not None and sid in self.twilio.calls:
            word(sid)

    @web.middleware
    async def _watch_refers(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """A caller who was told of a transfer waits from the moment it is asked for, whatever comes of it."""
        ai_call = self.openai.calls.get(request.match_info.get("call_id", ""))
        if ai_call is not None and request.path.endswith("/refer"):
            self._tell_caller(ai_call, self.twilio.transfer_asked)
        return await handler(request)

    @web.middleware
    async def _watch_redirects(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The scenario says what happens at the AI's end at the very moment a redirect arrives at the carrier."""
        caller = self.twilio.calls.get(request.match_info.get("sid", ""))
        if caller is not None and request.method == "POST" and "Url" in await request.post():
            for ai_call in self._ai_calls_of(caller):
                ai_call.coincidences.redirect_asked()
        return await handler(request)

    def _ai_calls_of(self, caller: Call) -> list[AiCall]:
        legs = {leg.sid for leg in self.twilio.calls.values() if leg.caller is caller}
        return [ai_call for ai_call in self.openai.calls.values() if ai_call.header("X-Twilio-CallSid") in legs]
