"""The doors of a screened destination: its leg is answered and asked to press 1, and the key decides (Twilio 2.2, 2.4).

Both requests come on the person's own leg, before anybody is bridged. A mailbox presses nothing: the document then
hangs up, the dial ends with `DialBridged=false`, and the caller goes on to the next destination.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from callops.calls import intake
from callops.calls.addresses import of_call
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane
from callops.core import clock
from callops.providers.twilio.callbacks import Callback
from callops.transfers import moves, whisper
from callops.transfers.addresses import of_transfer
from callops.transfers.destinations import chain_at
from callops.transfers.models import Outcome, TransferAttempt
from callops.transfers.verdict import FactKind
from callops.webhooks import answers, facts
from callops.webhooks.carrier import step_of
from callops.webhooks.gate import delivery_id, document, from_carrier
from callops.webhooks.transfer import attempt_of, label_at, via_of

TAKE = "1"
CALLED_OFF = "The caller is no longer waiting. Goodbye."


@from_carrier
@transaction.atomic
def question(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The person's leg of a transfer was answered: they are asked whether they take the call. Nobody is there yet."""
    attempt = attempt_of(token)
    at, step, via = clock.now(), step_of(request), via_of(request)
    body = {"label": label_at(attempt, step), "via": via, "sid": callback.call_sid}
    delivery = delivery_id(request, callback, f"screen:{attempt.pk}:{via}:{step}")
    event = _asked(attempt.call_id, callback, at, {**body, "transfer": attempt.pk}, delivery)
    if event is not None:
        moves.human_said(attempt, FactKind.SCREENING, at=at, event=event, detail=body)
    if not _is_wanted(attempt):
        return document(answers.turn_away(CALLED_OFF))
    words = whisper.question(summary=attempt.summary, reason=attempt.reason)
    return document(answers.ask_for_key(words, action_url=of_transfer("pressed", attempt, via=via, step=step)))


@from_carrier
@transaction.atomic
def pressed(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """A key was pressed: 1 lets the person through to the caller, any other key ends their leg."""
    attempt = attempt_of(token)
    at, step, via, key = clock.now(), step_of(request), via_of(request), callback.digits or ""
    taken = key == TAKE and _is_wanted(attempt)
    body = {"label": label_at(attempt, step), "via": via, "sid": callback.call_sid, "key": key}
    delivery = delivery_id(request, callback, f"pressed:{attempt.pk}:{via}:{step}")
    event = _told(attempt.call_id, callback, at, {**body, "transfer": attempt.pk}, delivery, taken=taken)
    if event is not None and (taken or key != TAKE):
        fact = FactKind.ACCEPTED_BY_KEY if taken else FactKind.DECLINED_BY_KEY
        moves.human_said(attempt, fact, at=at, event=event, detail=body)
    return document(answers.let_through() if taken else answers.turn_away())


@from_carrier
@transaction.atomic
def rescue_question(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The fallback destination's leg was answered: whoever it is must press 1 as well."""
    call = _call_of(token)
    at, step = clock.now(), step_of(request)
    body = {"label": _fallback(call, step), "via": "rescue", "sid": callback.call_sid}
    _asked(call.pk, callback, at, body, delivery_id(request, callback, f"rescue_screen:{call.pk}:{step}"))
    if call.caller_left_at:
        return document(answers.turn_away(CALLED_OFF))
    return document(answers.ask_for_key(whisper.question(), action_url=of_call("rescue_pressed", call, step=step)))


@from_carrier
@transaction.atomic
def rescue_pressed(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The fallback destination pressed a key: 1 lets them through."""
    call = _call_of(token)
    at, step, key = clock.now(), step_of(request), callback.digits or ""
    taken = key == TAKE and not call.caller_left_at
    body = {"label": _fallback(call, step), "via": "rescue", "sid": callback.call_sid, "key": key}
    _told(call.pk, callback, at, body, delivery_id(request, callback, f"rescue_pressed:{call.pk}:{step}"), taken=taken)
    return document(answers.let_through() if taken else answers.turn_away())


def _asked(call_id: str, callback: Callback, at: datetime, body: dict[str, Any], delivery: str) -> Event | None:
    return intake.record(
        call_id,
        at=at,
        kind=Kind.CARRIER_SCREENING,
        lane=Lane.CARRIER,
        body={**body, **callback.received},
        source="twilio",
        source_id=delivery,
        legs=facts.screened_leg(callback, accepted=False),
    )


def _told(
    call_id: str, callback: Callback, at: datetime, body: dict[str, Any], delivery: str, *, taken: bool
) -> Event | None:
    return intake.record(
        call_id,
        at=at,
        kind=Kind.HUMAN_PRESSED,
        lane=Lane.HUMAN,
        body={**body, "taken": taken, **callback.received},
        source="twilio",
        source_id=delivery,
        legs=facts.screened_leg(callback, accepted=taken),
    )


def _is_wanted(attempt: TransferAttempt) -> bool:
    """Whether the caller still waits for this person; asked again, the one who took the call is let through again."""
    return moves.is_wanted(attempt) or attempt.outcome == Outcome.CONNECTED


def _call_of(token: str) -> Call:
    return get_object_or_404(Call.objects.select_related("line__fallback").select_for_update(of=("self",)), token=token)


def _fallback(call: Call, step: int) -> str:
    target = chain_at(call.line.fallback, step) if call.line else None
    return target.label if target else "the fallback"
