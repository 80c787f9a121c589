"""Who may come in: signatures over the public address, counted when they are wrong."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from callops.core import clock
from callops.core.beats import TWILIO_REQUEST, beat
from callops.core.config import config
from callops.core.counters import bump
from callops.core.database import AWAY
from callops.providers.twilio import alerts, callbacks, signature
from callops.providers.twilio.alerts import Alert
from callops.providers.twilio.callbacks import Callback
from callops.webhooks import waiting
from callops.webhooks.refusing import unsigned_carrier

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
XML = "text/xml; charset=utf-8"
KEPT_HEADERS = frozenset(
    {
        *("content-type", "content-length", "user-agent", "date", "x-home-region"),
        *("i-twilio-idempotency-token", "webhook-id", "webhook-timestamp"),
    }
)
"""What is kept of a delivery's headers: never a signature, a cookie or a credential."""

CarrierView = Callable[Concatenate[Callback, P], HttpResponse]


def document(xml: str) -> HttpResponse:
    """A document for the carrier, never cached."""
    return HttpResponse(xml, content_type=XML, headers={"Cache-Control": "no-store"})


def from_carrier(view: Callable[Concatenate[HttpRequest, Callback, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """The view sees only signed requests that name a leg: 403 for a bad signature, 400 for a form without `CallSid`."""

    @wraps(view)
    def with_headers(request: HttpRequest, callback: Callback, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, replace(callback, headers=kept_headers(request)), *args, **kwargs)

    return _door(with_headers, callbacks.parse)


def kept_headers(request: HttpRequest) -> dict[str, str]:
    """The headers of a delivery that are worth keeping, with lower-case names."""
    return {name.lower(): value for name, value in request.headers.items() if name.lower() in KEPT_HEADERS}


def from_debugger(view: Callable[[HttpRequest, Alert], HttpResponse]) -> Callable[..., HttpResponse]:
    """The view sees only signed alerts, which name no call of their own: 403 and 400 as at every door."""
    return _door(view, alerts.parse)


def _door(
    view: Callable[Concatenate[HttpRequest, T, P], HttpResponse], parse: Callable[[Mapping[str, str]], T]
) -> Callable[..., HttpResponse]:
    """Signature, then form, then the view with what the form says; every refusal is counted."""

    @csrf_exempt
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            _verify(request)
        except signature.BadSignature as refusal:
            return unsigned_carrier(request, refusal, clock.now())
        form = waiting.said(request)
        try:
            said = parse(form)
        except callbacks.Malformed as problem:
            bump("refused.twilio_form", clock.now(), f"{request.path}: {problem}")
            return HttpResponse(f"This request cannot be read: {problem}.\n", status=400, content_type="text/plain")
        try:
            answer = view(request, said, *args, **kwargs)
        except AWAY as error:
            logger.warning("%s could not be answered: the database is away. (%s)", request.path, error)
            return _held(request, form)
        with contextlib.suppress(*AWAY):  # the caller has an answer; that somebody asked is seen with the next one
            beat(TWILIO_REQUEST, clock.now())
        return answer

    return checked


def _held(request: HttpRequest, form: Mapping[str, str]) -> HttpResponse:
    """The caller waits and the carrier asks again; where there is no caller to hold, the carrier is told so."""
    held = waiting.hold(request, form)
    if held is not None:
        return document(held)
    words = "The database is away. Please try again.\n"
    return HttpResponse(words, status=503, content_type="text/plain", headers={"Retry-After": "5"})


def delivery_id(request: HttpRequest, callback: Callback, what: str) -> str:
    """What tells one delivery from another: the carrier's idempotency token, else the request (contract Twilio 1.3)."""
    token = request.headers.get("I-Twilio-Idempotency-Token")
    if token:
        return f"{what}:{token}"
    parts = (callback.call_sid, callback.sequence_number, callback.call_status, callback.dial_call_sid)
    return ":".join((what, *("" if part is None else str(part) for part in parts)))[:200]


def _verify(request: HttpRequest) -> None:
    body = request.body  # before the form is parsed: a multipart stream can be read once only
    signature.verify(
        config().twilio_auth_tokens,
        url=config().public_url + request.get_full_path(),
        method=request.method or "GET",
        params={name: request.POST.getlist(name) for name in request.POST},
        body=body,
        headers=request.headers,
    )
