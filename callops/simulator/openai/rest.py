"""accept, reject, hangup and refer over HTTP, and the sideband's handshake (contract OpenAI 3 and 4.1)."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from callops.simulator.openai.call import DECLINE, AiCall, State
from callops.simulator.openai.config import OpenAiConfig
from callops.simulator.openai.record import Record
from callops.simulator.openai.replies import ApiError, broken, gone, nameless, sign, too_many
from callops.simulator.openai.schema import Invalid, Kind, Number, Shape, Text
from callops.simulator.openai.session_schema import check_session, doubtful
from callops.simulator.openai.sideband import Sideband

TARGET = r"tel:\+[1-9]\d{6,14}|sips?:[^\s@<>]+@[^\s@<>]+"
REJECT = Shape({"status_code": Number(300, 699, whole=True)})
REFER = Shape({"target_uri": Text(pattern=TARGET)}, required=("target_uri",))
NOTHING = Shape({})

Verb = Callable[[AiCall, web.Request], Awaitable[web.StreamResponse]]


class Rest:
    """The HTTP side of one project."""

    def __init__(self, config: OpenAiConfig, record: Record, calls: Mapping[str, AiCall]) -> None:
        self._config = config
        self._record = record
        self._calls = calls
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The five endpoints, ready to be added to an application."""
        verbs: dict[str, Verb] = {
            "accept": self._accept,
            "reject": self._reject,
            "hangup": self._hangup,
            "refer": self._refer,
        }
        posts = [
            web.post(f"/v1/realtime/calls/{{call_id}}/{name}", self._endpoint(verb)) for name, verb in verbs.items()
        ]
        return [*posts, web.get("/v1/realtime", self._handshake)]

    def close(self) -> None:
        """Let go of every request that is held."""
        self._closing.set()

    def _endpoint(self, verb: Verb) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            began_at = time.monotonic()
            call = self._calls.get(request.match_info["call_id"])
            try:
                self._admit(request)
                if call is None or call.state is State.OVER:
                    raise gone()
                response = await verb(call, request)
            except (ApiError, Invalid) as error:
                response = self._refusal(request, error)
            sign(response, self._config.project_id, began_at)
            self._note(request, call, await request.text(), response)
            return response

        return answer

    def _note(self, request: web.Request, call: AiCall | None, body: str, response: web.StreamResponse) -> None:
        call_id = call.id if call else request.match_info["call_id"]
        headers = dict(response.headers)
        self._record.add(
            "http", call_id=call_id, path=request.path, body=body, status=response.status, answer_headers=headers
        )

    def _admit(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(key.encode(), self._config.api_key.encode()):
            shown = f"{key[:8]}********************{key[-4:]}" if len(key) > 12 else "''"
            where = "You can find your API key at https://platform.openai.com/account/api-keys."
            raise ApiError(401, f"Incorrect API key provided: {shown}. {where}", code="invalid_api_key")
        if "OpenAI-Beta" in request.headers:
            words = "The Realtime Beta API is no longer supported. Remove the 'OpenAI-Beta' header."
            raise ApiError(400, words, code="invalid_value", param="OpenAI-Beta")

    async def _body(self, request: web.Request, kind: Kind | None = None) -> Any:
        text = await request.text()
        if not text and kind is not None:
            text = "{}"
        elif request.content_type != "application/json":
            words = f"Unsupported content type: '{request.content_type}'. Only 'application/json' is accepted."
            raise ApiError(400, words, code=None)
        try:
            body = json.loads(text)
        except ValueError as error:
            raise ApiError(400, "We could not parse the JSON body of your request.", code=None) from error
        if kind is not None:
            kind.check(body, "")
        return body

    async def _accept(self, call: AiCall, request: web.Request) -> web.StreamResponse:
        self._undecided(call)
        given = check_session(await self._body(request))
        for doubt in doubtful(given):
            self._record.add("warning", call_id=call.id, why=doubt)
        fault = _accept_fault(call)
        if fault == "hang":
            return await self._hold(request, call, 60.0)
        self._fail_accept(call, fault)
        call.decided = True
        await asyncio.sleep(call.scenario.accept_latency_s)
        if call.state is State.OVER:
            raise gone()
        call.accept(given)
        return web.Response()

    def _fail_accept(self, call: AiCall, fault: str) -> None:
        """Refuse the accept if the scenario says so; with 409 another program's session has the call."""
        match fault:
            case "http_404":
                raise gone()
            case "http_409":
                call.decided = True
                call.accept({})
                self._undecided(call)
            case "http_429":
                raise too_many()
            case "http_500":
                raise broken()

    async def _reject(self, call: AiCall, request: web.Request) -> web.StreamResponse:
        self._undecided(call)
        body = await self._body(request, REJECT)
        call.decided = True
        call.refuse(body.get("status_code", DECLINE))
        return web.Response()

    async def _hangup(self, call: AiCall, request: web.Request) -> web.StreamResponse:
        await self._body(request, NOTHING)
        if call.state not in (State.ACCEPTED, State.ANSWERED):
            raise gone()
        call.hang_up()
        return web.Response()

    async def _refer(self, call: AiCall, request: web.Request) -> web.StreamResponse:
        target = (await self._body(request, REFER))["target_uri"]
        if call.state is not State.ANSWERED:
            raise gone()
        call.coincidences.refer_asked(target)
        match call.scenario.refer:
            case "hang":
                return await self._hold(request, call, self._config.refer_hangs_s)
            case "dropped":
                return self._drop(request)
        await asyncio.sleep(call.scenario.refer_latency_s)
        return self._referred(call, target)

    def _referred(self, call: AiCall, target: str) -> web.StreamResponse:
        match call.scenario.refer:
            case "http_404":
                raise gone()
            case "http_409":
                raise ApiError(409, "The call cannot be referred in its current state.", code=None)
            case "http_500":
                raise broken()
            case "tel_400" if target.startswith("tel:"):
                words = "Invalid 'target_uri': tel: URIs are not supported by this SIP provider."
                raise ApiError(400, words, code="invalid_value", param="target_uri")
            case "silent" | "with_redirect":
                return nameless()
            case "named_silent":
                return web.Response()
            case "late":
                call.refer_later(target)
                return nameless()
        if call.state is State.OVER:
            raise gone()
        call.refer(target)
        return web.Response()

    async def _handshake(self, request: web.Request) -> web.StreamResponse:
        began_at = time.monotonic()
        try:
            self._admit(request)
            call = self._attachable(request)
            await asyncio.sleep(call.scenario.sideband_open_s)
            self._attachable(request)
        except (ApiError, Invalid) as error:
            response = self._refusal(request, error)
            sign(response, self._config.project_id, began_at)
            self._record.add("sideband.refused", call_id=request.query.get("call_id"), status=response.status)
            return response
        return await self._converse(call, Sideband(request))

    async def _converse(self, call: AiCall, sideband: Sideband) -> web.StreamResponse:
        await sideband.open()
        call.attach(sideband)
        writing = asyncio.create_task(sideband.write())
        try:
            async for message in sideband.frames():
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    call.hear(message.data if isinstance(message.data, str) else message.data.decode(errors="replace"))
        finally:
            call.detach(sideband)
            writing.cancel()
        return sideband.frames()

    def _attachable(self, request: web.Request) -> AiCall:
        if "call_id" not in request.query:
            raise Invalid.missing("call_id")
        call = self._calls.get(request.query["call_id"])
        if call is None or not call.is_attachable:
            raise gone()
        return call

    def _undecided(self, call: AiCall) -> None:
        if call.decided:
            words = "A decision has already been made for this call."
            raise ApiError(409, words, code="decision_already_made")

    def _refusal(self, request: web.Request, error: ApiError | Invalid) -> web.Response:
        if isinstance(error, Invalid):
            error = ApiError(400, error.message, code=error.code, param=error.param)
        call_id = request.match_info.get("call_id") or request.query.get("call_id")
        self._record.add("refused", call_id=call_id, path=request.path, status=error.status, **_why(error))
        return web.json_response({"error": error.error}, status=error.status, headers=error.headers)

    async def _hold(self, request: web.Request, call: AiCall, seconds: float) -> web.StreamResponse:
        """No answer for this long, or until the call or the stage ends; then the connection drops."""
        ends = [asyncio.create_task(event.wait()) for event in (call.over, self._closing)]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        return self._drop(request)

    def _drop(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return nameless()


def _accept_fault(call: AiCall) -> str:
    """What becomes of this accept: the scenario's fault, until it was seen often enough."""
    fault, faults = call.scenario.accept, call.scenario.accept_faults
    if faults is not None and call.accepts_failed >= faults:
        return "works"
    call.accepts_failed += 1
    return fault


def _why(error: ApiError) -> dict[str, Any]:
    return {"why": error.error["message"], "code": error.error["code"], "param": error.error["param"]}
