"""The stage's own door, for people and tests: place a call, act as its caller, read the record."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from aiohttp import web

from callops.simulator.openai.stage import OpenAiStage
from callops.simulator.openai.written import BadLine, lines_of
from callops.simulator.scenario import Scenario
from callops.simulator.scenarios import SCENARIOS, BadOverride, UnknownScenario, overridden, scenario_named
from callops.simulator.story import story_of
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.stage import TwilioStage


class Played(Protocol):
    """What the control door opens to."""

    twilio: TwilioStage
    openai: OpenAiStage

    def place_call(self, scenario: Scenario) -> str:
        """Let somebody call; the SID of the caller's leg."""

    def let_refer_leave(self, call: Call) -> None:
        """The REFER that was asked for last on this call leaves now."""

    def record(self, call: Call | None = None) -> dict[str, list[dict[str, Any]]]:
        """What both halves wrote down, of this leg and the AI's calls for its caller only if it is given."""


class Control:
    """Routes under `/_stage/`; answers are JSON, refusals `{"detail": …}` with 404 or 422."""

    def __init__(self, stage: Played) -> None:
        self._stage = stage

    def routes(self) -> list[web.RouteDef]:
        """The routes, ready to be added to an application."""
        return [
            web.post("/_stage/calls", self.place),
            web.get("/_stage/calls", self.list_calls),
            web.post("/_stage/calls/{sid}/hangup", self._of_call(self.hang_up)),
            web.post("/_stage/calls/{sid}/refer", self._of_call(self.refer)),
            web.post("/_stage/calls/{sid}/press", self._of_call(self.press)),
            web.get("/_stage/calls/{sid}/story", self._of_call(self.tell_story)),
            web.post("/_stage/dialled", self.play_dialled),
            web.get("/_stage/record", self.read_record),
            web.get("/_stage/scenarios", self.list_scenarios),
        ]

    async def place(self, request: web.Request) -> web.Response:
        """`{"scenario": name, "lines": […], …overrides}`: a call begins; answers its SID."""
        scenario = await _scenario(request, "default")
        if isinstance(scenario, web.Response):
            return scenario
        try:
            sid = self._stage.place_call(scenario)
        except BadOverride as error:
            return _refused(str(error))
        return web.json_response({"id": sid, "call_sid": sid, "scenario": scenario.name}, status=201)

    async def play_dialled(self, request: web.Request) -> web.Response:
        """`{"scenario": name, …overrides}`: what is played from now on when the API makes a call."""
        scenario = await _scenario(request, "silent_caller")
        if isinstance(scenario, web.Response):
            return scenario
        self._stage.twilio.dialled_plays = scenario
        return web.json_response({"scenario": scenario.name})

    async def list_calls(self, request: web.Request) -> web.Response:
        """All legs, newest first; with `?live=1` only those that are not over."""
        calls = self._stage.twilio.calls
        wanted = [call for call in reversed(calls.values()) if not (call.ended and request.query.get("live"))]
        return web.json_response({"calls": [_shape(call, calls) for call in wanted]})

    async def hang_up(self, call: Call, request: web.Request) -> web.Response:
        """The caller hangs up."""
        self._stage.twilio.hang_up_caller(call.sid)
        return web.json_response(_shape(call, self._stage.twilio.calls))

    async def refer(self, call: Call, request: web.Request) -> web.Response:
        """A REFER that was asked for and held back leaves now."""
        self._stage.let_refer_leave(call)
        return web.json_response(_shape(call, self._stage.twilio.calls))

    async def press(self, call: Call, request: web.Request) -> web.Response:
        """`{"digit": "4"}`: the party on this leg presses a key, or several one after another."""
        digits = str((await _body(request)).get("digit", ""))
        if not digits or set(digits) - set("0123456789*#"):
            return _refused("digit must be made of 0 to 9, * and #")
        for digit in digits:
            self._stage.twilio.press(call.sid, digit)
        return web.json_response(_shape(call, self._stage.twilio.calls))

    async def tell_story(self, call: Call, request: web.Request) -> web.Response:
        """What befell the caller of this leg, without the words that were spoken."""
        twilio, openai = self._stage.twilio, self._stage.openai
        return web.json_response(story_of(call.caller, twilio=twilio, openai=openai), dumps=_dumps)

    async def read_record(self, request: web.Request) -> web.Response:
        """What both halves saw and did; `?call_sid=` keeps what is about one leg and its caller's AI."""
        sid = request.query.get("call_sid")
        if sid is None:
            return web.json_response(self._stage.record(), dumps=_dumps)
        call = self._stage.twilio.calls.get(sid)
        if call is None:
            return web.json_response({"detail": f"No call is called {sid!r}."}, status=404)
        return web.json_response(self._stage.record(call), dumps=_dumps)

    async def list_scenarios(self, request: web.Request) -> web.Response:
        """Every scenario by name, with what one will see."""
        return web.json_response({"scenarios": {name: told.description for name, told in SCENARIOS.items()}})

    def _of_call(
        self, answerer: Callable[[Call, web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            sid = request.match_info["sid"]
            call = self._stage.twilio.calls.get(sid)
            if call is None:
                return web.json_response({"detail": f"No call is called {sid!r}."}, status=404)
            return await answerer(call, request)

        return answer


async def _scenario(request: web.Request, usual: str) -> Scenario | web.Response:
    """The scenario that a request names, with its overrides; or why there is none."""
    body = await _body(request)
    name, told = body.pop("scenario", usual), body.pop("lines", None)
    try:
        scenario = overridden(scenario_named(name), body)
        return scenario if told is None else replace(scenario, lines=lines_of(told))
    except UnknownScenario:
        refusal = {"detail": f"No scenario is called {name!r}.", "scenarios": sorted(SCENARIOS)}
        return web.json_response(refusal, status=404)
    except (BadOverride, BadLine) as error:
        return _refused(str(error))


def _refused(why: str) -> web.Response:
    return web.json_response({"detail": why}, status=422)


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    try:
        body = json.loads(text or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPUnprocessableEntity(text='{"detail": "not a JSON object"}', content_type="application/json")
    return body


def _dumps(value: Any) -> str:
    return json.dumps(value, default=str)


def _shape(call: Call, calls: dict[str, Call]) -> dict[str, Any]:
    live = [other for other in calls.values() if other.parent is call and not other.ended]
    return {
        "id": call.sid,
        "call_sid": call.sid,
        "parent_call_sid": call.parent.sid if call.parent else None,
        "scenario": call.scenario.name,
        "from": call.from_,
        "to": call.to,
        "direction": call.direction,
        "status": call.status,
        "state": call.status if call.ended or not live else f"{call.status}, {live[-1].to} {live[-1].status}",
        "over": call.ended,
    }
