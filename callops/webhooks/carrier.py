"""The carrier's doors for a call and its AI leg: AI dial ended, leg status, REFER seen, the rescue's dial."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from callops.calls import intake, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane, Role
from callops.core import clock
from callops.providers.twilio.callbacks import Callback, refer_target
from callops.sideband.models import AiSession
from callops.transfers import moves
from callops.transfers.destinations import first_target
from callops.transfers.models import Mechanism, TransferAttempt
from callops.webhooks import answers, facts, rescuing
from callops.webhooks.gate import delivery_id, document, from_carrier
from callops.webhooks.rescuing import CHECK_SOON, human_ended_it
from callops.webhooks.steering import DialEnd, Way, after_ai_dial


@from_carrier
def leg(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The AI leg's status changed; such callbacks steer nothing (contract Twilio 1.2)."""
    call = get_object_or_404(Call, token=token)
    _leg_status(call, callback, Role.AI)
    return HttpResponse(status=204)


@from_carrier
@transaction.atomic
def status(request: HttpRequest, callback: Callback) -> HttpResponse:
    """The number's own status callback, if it is configured: the caller's leg ended (contract Twilio 7)."""
    call = Call.objects.filter(carrier_sid=callback.call_sid).first()
    event = _leg_status(call, callback, Role.CALLER) if call else None
    if call is not None and event is not None and facts.caller_is_gone(callback):
        moves.caller_left(call.pk, at=event.at, event=event)
    return HttpResponse(status=204)


@from_carrier
@transaction.atomic
def dial_ended(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The AI dial ended; who decided that decides where the caller goes."""
    call = get_object_or_404(Call.objects.select_for_update(), token=token)
    at, delivery = clock.now(), delivery_id(request, callback, "dial_ended")
    event = intake.record(
        call.pk,
        at=at,
        kind=Kind.CARRIER_DIAL_ENDED,
        lane=Lane.CARRIER,
        body=facts.dial_end_body(callback),
        source="twilio",
        source_id=delivery,
        legs=facts.legs_at_dial_end(callback, call, Role.AI),
        changes=facts.leaving(callback, at) | _after_talk(call, callback, at),
    )
    call.refresh_from_db()
    return document(_way_on(call, callback, event, at, delivery))


@from_carrier
@transaction.atomic
def refer(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The carrier received a REFER: the proof, and the moment the watchdog stops. The answer is the transfer document.

    Without a transfer that still wants the caller moved the answer is 410, upon which the carrier gives the caller
    back to the AI (contract Twilio 2.3).
    """
    call = get_object_or_404(Call.objects.select_for_update(), token=token)
    at = clock.now()
    target = refer_target(callback.refer_transfer_target or "")
    attempt = moves.last_transfer(call.pk)
    event = intake.record(
        call.pk,
        at=at,
        kind=Kind.CARRIER_REFER,
        lane=Lane.CARRIER,
        body={"target": target, **callback.received},
        source="twilio",
        source_id=delivery_id(request, callback, f"refer:{attempt.pk if attempt else ''}"),
        legs=facts.caller_leg(callback, call),
    )
    wanted = attempt is not None and moves.is_wanted(attempt)
    if attempt is not None and event is not None:
        attempt = moves.refer_seen(attempt, at=at, event=event, target=target)
    if attempt is None or not wanted:
        return HttpResponse("No transfer of this call is wanted any more.\n", status=410, content_type="text/plain")
    return document(answers.human(attempt, first_target(attempt), via=Mechanism.REFER, step=0))


@from_carrier
def rescue_leg(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The status of the fallback destination's leg."""
    call = get_object_or_404(Call, token=token)
    _leg_status(call, callback, Role.HUMAN, screened=is_screened(request))
    return HttpResponse(status=204)


@from_carrier
@transaction.atomic
def rescue_ended(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The fallback's dial ended: on to a transfer that is open, goodbye after a talk, the next when nobody answered."""
    call = get_object_or_404(Call.objects.select_related("line__fallback").select_for_update(of=("self",)), token=token)
    at, delivery = clock.now(), delivery_id(request, callback, "rescue_ended")
    step = step_of(request) + 1
    changes = facts.leaving(callback, at)
    attempt = moves.open_transfer(call.pk)
    if callback.dial_bridged and not changes and attempt is None:
        changes = human_ended_it(at)
    body = facts.dial_end_body(callback, via="rescue")
    event = intake.record(
        call.pk,
        at=at,
        kind=Kind.CARRIER_HUMAN_DIAL_ENDED,
        lane=Lane.CARRIER,
        body=body,
        source="twilio",
        source_id=delivery,
        legs=facts.legs_at_dial_end(callback, call, Role.HUMAN),
        changes=changes,
    )
    if facts.caller_is_gone(callback):
        return document(answers.nothing())
    if attempt is not None:
        return document(_into_transfer(call, attempt, event, at))
    if callback.dial_bridged:
        return document(answers.goodbye())
    return document(rescuing.rescue(call, at, step=step, delivery=delivery))


def step_of(request: HttpRequest) -> int:
    """Which destination of the chain an address is about; 0 for anything that is not a small number."""
    word = request.GET.get("step", "0")
    return int(word) if word.isascii() and word.isdigit() and len(word) == 1 else 0


def is_screened(request: HttpRequest) -> bool:
    """Whether an address is about a leg whose far end must press a key first; the carrier signed it."""
    return request.GET.get("screened") == "1"


def _leg_status(call: Call, callback: Callback, role: Role, *, screened: bool = False) -> Event | None:
    return intake.record(
        call.pk,
        at=clock.now(),
        kind=Kind.CARRIER_LEG,
        lane=Lane.CARRIER,
        body=facts.leg_body(callback, role),
        source="twilio",
        source_id=leg_delivery(callback),
        legs=facts.leg_of(callback, role, screened=screened),
    )


def leg_delivery(callback: Callback) -> str:
    """A leg's status is one fact however often it is delivered: leg, sequence number, status (contract Twilio 7)."""
    return f"leg:{callback.call_sid}:{callback.sequence_number}:{callback.call_status}"


def _way_on(call: Call, callback: Callback, event: Event | None, at: datetime, delivery: str) -> str:
    attempt = moves.open_transfer(call.pk)
    end = DialEnd(
        caller_on_line=not facts.caller_is_gone(callback),
        transfer_open=attempt is not None,
        being_moved=attempt is not None and _is_being_moved(attempt, repeated=event is None),
        human_there=moves.last_connected(call),
        end_wished=bool(call.end_wish),
        fallback_talked=rescuing.fallback_talked(call, callback),
        may_try_again=rescuing.may_try_again(call, delivery=delivery),
        nobody_came=_nobody_came(call),
    )
    way = after_ai_dial(end)
    if way == Way.NOTHING:
        if event is not None:
            moves.caller_left(call.pk, at=at, event=event)
        return answers.nothing()
    if way == Way.TRANSFER and attempt is not None:
        return _claimed_by_action(call, attempt, event, at)
    if way == Way.BRIDGE and (attempt := attempt or moves.last_transfer(call.pk)) is not None:
        return answers.bridge(attempt)
    if way == Way.GOODBYE:
        Call.objects.filter(pk=call.pk).update(carrier_check_at=at + CHECK_SOON, carrier_checks=0)
        return answers.goodbye()
    if way == Way.APOLOGY:
        why = "Nobody took the call, and the assistant could not be reached again."
        return rescuing.apologise(call, at, why=why, delivery=delivery)
    rescuing.note_ai_left(call, callback, at, delivery=delivery)
    if way == Way.AI_AGAIN:
        return rescuing.dial_again(call, at, delivery=delivery)
    return rescuing.rescue(call, at, delivery=delivery, step=rescuing.rung(call))


def _after_talk(call: Call, callback: Callback, at: datetime) -> dict[str, Any]:
    """The fields that follow when the fallback's talk is over while the caller is still on the line."""
    talked = rescuing.fallback_talked(call, callback) and not facts.caller_is_gone(callback)
    return human_ended_it(at) if talked and not call.has_open_transfer else {}


def _nobody_came(call: Call) -> bool:
    """The last transfer was in vain, the AI was dialled once more, and no session of it ever opened."""
    attempt, dialled_at = moves.last_in_vain(call), call.ai_dialled_at
    if attempt is None or attempt.settled_at is None or dialled_at is None or dialled_at < attempt.settled_at:
        return False
    return not AiSession.objects.filter(call=call, opened_at__gte=dialled_at).exists()


def _is_being_moved(attempt: TransferAttempt, *, repeated: bool) -> bool:
    """Somebody moves the caller already: neither this very request when it came before, nor our end of the AI's leg."""
    if repeated and attempt.mechanism == Mechanism.DIAL_ACTION:
        return False
    ended_by_us = attempt.ai_leg_ended_at and not attempt.document_fetched_at
    moving = attempt.redirect_asked_at or attempt.refer_seen_at or attempt.document_fetched_at
    return bool(moving and not ended_by_us)


def _into_transfer(call: Call, attempt: TransferAttempt, event: Event | None, at: datetime) -> str:
    """A fallback's human is gone while the caller is wanted elsewhere: the open transfer takes the caller."""
    if _is_being_moved(attempt, repeated=event is None):
        return answers.bridge(attempt)
    return _claimed_by_action(call, attempt, event, at)


def _claimed_by_action(call: Call, attempt: TransferAttempt, event: Event | None, at: datetime) -> str:
    """The dial's end takes the caller on; the claim keeps a redirect from being sent as well (contract Twilio 3.3)."""
    if event is not None:
        body = {"via": Mechanism.DIAL_ACTION, "label": attempt.target_label, "transfer": attempt.pk}
        taken = timeline.note(call, at=at, kind=Kind.CARRIER_DOCUMENT, lane=Lane.CARRIER, body=body)
        moves.document_fetched(attempt, at=at, event=taken, via=Mechanism.DIAL_ACTION)
    return answers.human(attempt, first_target(attempt), via=Mechanism.DIAL_ACTION, step=0)
