"""`POST Calls/{sid}.json`: checks the form, plays the scenario's fault, redirects or ends (contract Twilio 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from callops.simulator.twilio.calls import Call, NotRedirectable
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.errors import bad_parameter, invalid_url, not_in_progress, too_many_requests
from callops.simulator.twilio.resource import call_resource
from callops.simulator.twilio.switchboard import Switchboard

MAX_TWIML = 4000
NO_ANSWER_S = 30.0
"""How long a request that hangs stays open."""

Form = Mapping[str, str]


class CallUpdates:
    """Carries out updates; the scenario's `redirect` decides what becomes of those with `Url` or `Twiml`."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._modes: dict[str, Callable[[web.Request, Call, Source], Awaitable[web.Response]]] = {
            "works": self._redirect,
            "http_429": self._too_many,
            "http_500": self._broken,
            "hang": self._hang,
            "applied_no_answer": self._applied_no_answer,
            "gone": self._gone,
        }

    async def apply(self, request: web.Request, call: Call, form: Form) -> web.Response:
        """The answer to one update; `RestRefused` when it is not carried out."""
        source = read_form(form)
        if source is not None:
            return await self._modes[_mode(call)](request, call, source)
        if call.ended:
            raise not_in_progress()
        if "Status" in form and call.scenario.end_leg == "http_500":
            return await self._broken(request, call, Source())
        rings_alone = call.status == "ringing" and call.parent is None
        wished = form.get("Status")
        if call.actor is not None and (wished == "completed" or (wished == "canceled" and rings_alone)):
            call.actor.end()
        return web.json_response(call_resource(call))

    async def _redirect(self, request: web.Request, call: Call, source: Source) -> web.Response:
        await self._board.pause(call.scenario.redirect_latency_s)
        try:
            if call.actor is None:
                raise NotRedirectable
            call.actor.redirect(source)
        except NotRedirectable as error:
            raise not_in_progress() from error
        if call.parent is None:
            call.tell("transfer_asked")
        return web.json_response(call_resource(call))

    async def _too_many(self, request: web.Request, call: Call, source: Source) -> web.Response:
        raise too_many_requests(call.scenario.retry_after_s)

    async def _broken(self, request: web.Request, call: Call, source: Source) -> web.Response:
        page = "<html><head><title>500 Internal Server Error</title></head><body>Something went wrong.</body></html>"
        return web.Response(status=500, text=page, content_type="text/html")

    async def _hang(self, request: web.Request, call: Call, source: Source) -> web.Response:
        await self._board.pause(NO_ANSWER_S)
        return web.Response(status=504, text="<html><body>Gateway Timeout</body></html>", content_type="text/html")

    async def _applied_no_answer(self, request: web.Request, call: Call, source: Source) -> web.Response:
        await self._redirect(request, call, source)
        return await self._hang(request, call, source)

    async def _gone(self, request: web.Request, call: Call, source: Source) -> web.Response:
        caller = call.caller
        if caller.actor is not None and not caller.ended:
            self._board.note(caller, "caller_hangs_up")
            caller.actor.end()
        raise not_in_progress()


def _mode(call: Call) -> str:
    """What becomes of this redirect: the scenario's fault, until it was seen often enough."""
    fault, faults = call.scenario.redirect, call.scenario.redirect_faults
    if fault == "works" or (faults is not None and call.redirects_failed >= faults):
        return "works"
    call.redirects_failed += 1
    return fault


def read_form(form: Form) -> Source | None:
    """Where a redirect goes, None for other updates; `RestRefused` for forms Twilio does not take."""
    url, twiml, status = form.get("Url"), form.get("Twiml"), form.get("Status")
    if status is not None and status not in ("completed", "canceled"):
        raise bad_parameter(f"Status is invalid: {status}")
    if sum(part is not None for part in (url, twiml, status)) > 1:
        raise bad_parameter("Url, Twiml and Status exclude each other")
    if twiml is not None and len(twiml) > MAX_TWIML:
        raise bad_parameter(f"Twiml is longer than {MAX_TWIML} characters")
    for name in ("Url", "FallbackUrl", "StatusCallback"):
        if name in form and not _is_url(form[name]):
            raise invalid_url(form[name])
    if url is None and twiml is None:
        return None
    return Source(
        url or "",
        _method(form, "Method"),
        inline=twiml,
        purpose="redirect_by_rest",
        fallback_url=form.get("FallbackUrl"),
        fallback_method=_method(form, "FallbackMethod"),
    )


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text


def _method(form: Form, name: str) -> str:
    method = form.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise bad_parameter(f"{name} is invalid: {method}")
    return method
