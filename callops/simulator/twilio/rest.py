"""The REST endpoints: calls, their notifications and events, alerts, trunks (contract Twilio 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import BasicAuth, web

from callops.simulator.twilio.alerts import Alert
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.errors import (
    RestRefused,
    authentication_failed,
    bad_parameter,
    not_found,
)
from callops.simulator.twilio.resource import call_resource, matches, moment_of, page, trunk_resource
from callops.simulator.twilio.switchboard import Switchboard
from callops.simulator.twilio.trunk import is_listed
from callops.simulator.twilio.update import CallUpdates

EVENTS_AFTER_S = 900.0
"""`Events.json` can be read this long after the end, in people's time (contract Twilio 3.4)."""

Form = Mapping[str, str]
Answerer = Callable[[web.Request, Form], Awaitable[web.Response]]


class Rest:
    """Twilio's API for one account."""

    def __init__(self, board: Switchboard, updates: CallUpdates, dialled: Callable[[Form], Call]) -> None:
        self._board = board
        self._updates = updates
        self._dialled = dialled

    def routes(self) -> list[web.RouteDef]:
        """Every route, ready to be added to an application."""
        calls = "/2010-04-01/Accounts/{account}/Calls"
        return [
            web.get(f"{calls}.json", self._open(self.list_calls)),
            web.post(f"{calls}.json", self._open(self.make_call)),
            web.get(calls + "/{sid}.json", self._open(self.read_call)),
            web.post(calls + "/{sid}.json", self._open(self.update_call)),
            web.get(calls + "/{sid}/Notifications.json", self._open(self.list_notifications)),
            web.get(calls + "/{sid}/Events.json", self._open(self.list_events)),
            web.get("/v1/Alerts", self._open(self.list_alerts)),
            web.get("/v1/Trunks/{sid}", self._open(self.read_trunk)),
        ]

    def _open(self, answerer: Answerer) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The same for every route: write down, authenticate, answer, turn refusals into Twilio's error body."""

        async def answer(request: web.Request) -> web.Response:
            form = {name: str(value) for name, value in (await request.post()).items()}
            entry = self._board.record.add(
                "rest",
                method=request.method,
                path=request.path,
                query=dict(request.query),
                params=form,
                status=None,
            )
            try:
                self._authenticate(request)
                response = await answerer(request, form)
            except RestRefused as refusal:
                response = refusal.response()
            entry.update(status=response.status, answer=response.text, answered_t=self._board.record.elapsed())
            return response

        return answer

    def _authenticate(self, request: web.Request) -> None:
        config = self._board.config
        known = {config.account_sid: config.auth_token, config.api_key_sid: config.api_key_secret}
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError as error:
            raise authentication_failed() from error
        account = request.match_info.get("account", config.account_sid)
        if not given.login or known.get(given.login) != given.password or account != config.account_sid:
            raise authentication_failed()

    def _call(self, request: web.Request) -> Call:
        call = self._board.calls.get(request.match_info["sid"])
        if call is None or not is_listed(call, self._board.calls):
            raise not_found(request.path)
        return call

    async def read_call(self, request: web.Request, form: Form) -> web.Response:
        """`GET Calls/{sid}.json`."""
        return web.json_response(call_resource(self._call(request)))

    async def make_call(self, request: web.Request, form: Form) -> web.Response:
        """`POST Calls.json`: a call that the API makes (`outbound`)."""
        return web.json_response(call_resource(self._dialled(form)), status=201)

    async def list_calls(self, request: web.Request, form: Form) -> web.Response:
        """`GET Calls.json`: newest first, filtered, paged."""
        listed = [call for call in self._board.calls.values() if is_listed(call, self._board.calls)]
        try:
            found = [call_resource(call) for call in reversed(listed) if matches(call, request.query)]
            return web.json_response(page("calls", found, request.path, request.query))
        except ValueError as error:
            raise bad_parameter(str(error)) from error

    async def update_call(self, request: web.Request, form: Form) -> web.Response:
        """`POST Calls/{sid}.json`: redirect or end; a live trunk call answers 21220, though lists hide it."""
        call = self._board.calls.get(request.match_info["sid"])
        if call is None:
            raise not_found(request.path)
        return await self._updates.apply(request, call, form)

    async def list_notifications(self, request: web.Request, form: Form) -> web.Response:
        """`GET Calls/{sid}/Notifications.json`: errors and warnings of one call, newest first."""
        call = self._call(request)
        found = [alert.as_notification() for alert in reversed(self._board.alerts.all) if alert.call is call]
        return web.json_response(page("notifications", found, request.path, request.query))

    async def list_events(self, request: web.Request, form: Form) -> web.Response:
        """`GET Calls/{sid}/Events.json`: the requests made for a call; empty until long after its end."""
        call = self._call(request)
        if call.trunk_sid is not None:
            raise not_found(request.path)
        ready = call.ended_at is not None and (
            (datetime.now(UTC) - call.ended_at).total_seconds() * call.scenario.speed >= EVENTS_AFTER_S
        )
        found = [_event(entry) for entry in self._board.record.entries if ready and _concerns(entry, call)]
        return web.json_response(page("events", found, request.path, request.query))

    async def list_alerts(self, request: web.Request, form: Form) -> web.Response:
        """`GET monitor/v1/Alerts`: newest first."""
        found = [alert.as_alert() for alert in reversed(self._board.alerts.all) if _wanted(alert, request.query)]
        meta: dict[str, Any] = {
            "page": 0,
            "page_size": max(50, len(found)),
            "first_page_url": str(request.url),
            "previous_page_url": None,
            "url": str(request.url),
            "next_page_url": None,
            "key": "alerts",
        }
        return web.json_response({"alerts": found, "meta": meta})

    async def read_trunk(self, request: web.Request, form: Form) -> web.Response:
        """`GET trunking/v1/Trunks/{sid}`; the transfer mode is that of the newest trunk call's scenario."""
        config = self._board.config
        if request.match_info["sid"] != config.trunk_sid:
            raise not_found(request.path)
        modes = [call.scenario.trunk_transfer_mode for call in self._board.calls.values() if call.trunk_sid]
        return web.json_response(trunk_resource(config, modes[-1] if modes else "enable-all"))


def _wanted(alert: Alert, query: Mapping[str, str]) -> bool:
    try:
        after = moment_of(query["StartDate"]) if "StartDate" in query else alert.at
        before = moment_of(query["EndDate"]) if "EndDate" in query else alert.at
    except ValueError as error:
        raise bad_parameter(str(error)) from error
    return bool(query.get("LogLevel", alert.level) == alert.level and after <= alert.at <= before)


def _concerns(entry: Mapping[str, Any], call: Call) -> bool:
    return bool(entry["kind"] == "webhook" and entry["call_sid"] == call.sid)


def _event(entry: Mapping[str, Any]) -> dict[str, Any]:
    request = {"method": entry["method"], "url": entry["url"], "parameters": entry["params"]}
    response = {"response_code": entry.get("status"), "response_body": entry.get("answer")}
    return {"sid": entry["idempotency_token"], "request": request, "response": response}
