"""The carrier's first request of a call: the AI is dialled, or a trunk's lost caller is led on to a human."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Topology
from callops.core import clock
from callops.core.counters import bump
from callops.core.database import AWAY
from callops.providers.numbers import number_in
from callops.providers.twilio.callbacks import Callback, caller_number
from callops.transfers.destinations import chain_of
from callops.webhooks import answers, rescuing, waiting
from callops.webhooks.gate import delivery_id, document, from_carrier
from callops.webhooks.rescuing import CHECK_SOON

RECOVERY = "recovery"
BY_HEART = "callers.led_by_heart"
UNREACHABLE = "The trunk could not reach the AI."


@from_carrier
@transaction.atomic
def inbound(request: HttpRequest, callback: Callback) -> HttpResponse:
    """A caller rings one of our numbers: the call is on the board, and the answer dials the AI.

    With `?mode=recovery` it is a trunk's disaster recovery URL: OpenAI's SIP side could not be reached, so the answer
    leads the caller to the line's fallback and never to the AI again (contract Twilio 4).
    """
    at, recovers = clock.now(), request.GET.get("mode") == RECOVERY
    delivery = delivery_id(request, callback, RECOVERY if recovers else "inbound")
    call, is_new = intake.inbound(
        call_sid=callback.call_sid,
        from_number=caller_number(callback.from_) or "",
        to_number=number_in(callback.to) or callback.to or "",
        params=callback.raw,
        headers=callback.headers,
        at=at,
        source_id=delivery,
        kind=Kind.CARRIER_RECOVERY if recovers else Kind.CARRIER_INBOUND,
    )
    if call.line is None:
        Call.objects.filter(pk=call.pk).update(carrier_check_at=at + CHECK_SOON)
        return document(answers.unknown_number())
    waiting.learn(call.line.number, tuple(chain_of(call.line.fallback)))
    if recovers:
        return document(_recovered(call, at, delivery=delivery, is_new=is_new))
    return document(rescuing.dial_the_ai(call, at, delivery=delivery))


@from_carrier
def rung(request: HttpRequest, callback: Callback) -> HttpResponse:
    """Somebody was rung by heart while the database was away (`waiting`): the talk is over, or nobody was there.

    Such a caller is on no board; that there was one is counted as soon as that is possible again.
    """
    with contextlib.suppress(*AWAY):
        bump(BY_HEART, clock.now(), callback.call_sid)
    talked = callback.dial_call_status in ("completed", "answered") and callback.dial_bridged is not False
    return document(answers.goodbye() if talked else answers.nobody())


def _recovered(call: Call, at: datetime, *, delivery: str, is_new: bool) -> str:
    """The call is one of Programmable Voice from now on: its caller has a leg that can be redirected."""
    if is_new:
        Call.objects.filter(pk=call.pk).update(topology=Topology.TWIML, **_still_there(call))
    return rescuing.rescue(call, at, delivery=delivery, why=UNREACHABLE)


def _still_there(call: Call) -> dict[str, Any]:
    """A trunk call that seemed over when its AI session closed has not ended: its caller is on the line."""
    return {"ended_at": None, "ended_by": ""} if call.topology == Topology.TRUNK else {}
