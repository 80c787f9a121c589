"""The carrier's doors for a transfer: the transfer document, the human's leg, the end of the human's dial."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane, LegStatus, Role
from callops.core import clock
from callops.providers.twilio.callbacks import Callback
from callops.transfers import evidence, moves
from callops.transfers.destinations import first_target, target_at
from callops.transfers.models import Mechanism, Outcome, TransferAttempt
from callops.transfers.strategies import Answer
from callops.transfers.verdict import FactKind
from callops.webhooks import answers, facts, rescuing
from callops.webhooks.carrier import is_screened, leg_delivery, step_of
from callops.webhooks.gate import delivery_id, document, from_carrier
from callops.webhooks.rescuing import human_ended_it

NOT_TAKEN = frozenset({LegStatus.BUSY, LegStatus.FAILED, LegStatus.NO_ANSWER})


@from_carrier
@transaction.atomic
def fetched(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The carrier fetched the transfer document: the redirect took effect. Whoever is no longer wanted goes back."""
    attempt = attempt_of(token)
    at, via = clock.now(), via_of(request)
    delivery = delivery_id(request, callback, f"document:{attempt.pk}:{via}")
    event = intake.record(
        attempt.call_id,
        at=at,
        kind=Kind.CARRIER_DOCUMENT,
        lane=Lane.CARRIER,
        body={"via": via, "label": attempt.target_label, "transfer": attempt.pk, **callback.received},
        source="twilio",
        source_id=delivery,
        legs=facts.caller_leg(callback, attempt.call),
    )
    wanted = moves.is_wanted(attempt) or attempt.outcome == Outcome.CONNECTED
    if event is not None:
        attempt = moves.document_fetched(attempt, at=at, event=event, via=via)
    if not wanted:
        return document(_back_to_the_ai(attempt, at, via=via, delivery=delivery))
    return document(answers.human(attempt, first_target(attempt), via=via, step=0))


@from_carrier
@transaction.atomic
def human_leg(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The human's leg rang, was answered or is over; the address it reports to says which way the caller came.

    A screened leg's answer connects nobody: a mailbox answers too (contract Twilio 2.2).
    """
    attempt = attempt_of(token)
    at, label, screened = clock.now(), label_at(attempt, step_of(request)), is_screened(request)
    event = intake.record(
        attempt.call_id,
        at=at,
        kind=Kind.CARRIER_LEG,
        lane=Lane.CARRIER,
        body=facts.leg_body(callback, Role.HUMAN, label=label, via=via_of(request)),
        source="twilio",
        source_id=leg_delivery(callback),
        legs=facts.leg_of(callback, Role.HUMAN, screened=screened),
    )
    fact = _leg_fact(callback, screened=screened)
    if event is not None and fact is not None:
        dialled = _dialled(attempt, step_of(request))
        detail: dict[str, Any] = {"via": via_of(request), **dialled, "sid": callback.call_sid}
        if fact == FactKind.HUMAN_LEG_ENDED:
            detail |= {"dial_status": callback.call_status, "sip_code": callback.sip_response_code}
        moves.human_said(attempt, fact, at=at, event=event, detail=detail)
    return HttpResponse(status=204)


def _leg_fact(callback: Callback, *, screened: bool) -> FactKind | None:
    """What a status of the human's leg is evidence of; a talk that is over is evidence of nothing new."""
    status = facts.status_of(callback.call_status)
    if status == LegStatus.RINGING:
        return FactKind.HUMAN_RINGING
    if status == LegStatus.IN_PROGRESS and not screened:
        return FactKind.HUMAN_CONNECTED
    return FactKind.HUMAN_LEG_ENDED if status in NOT_TAKEN and callback.sip_response_code else None


@from_carrier
@transaction.atomic
def human_ended(request: HttpRequest, callback: Callback, token: str) -> HttpResponse:
    """The human's dial ended: goodbye after a talk, the next destination, or back to the assistant."""
    attempt = attempt_of(token)
    at, step = clock.now(), step_of(request)
    delivery = delivery_id(request, callback, f"human_ended:{attempt.pk}:{step}")
    gone = facts.caller_is_gone(callback)
    talked = callback.dial_bridged is True or (callback.dial_bridged is None and attempt.outcome == Outcome.CONNECTED)
    following = None if gone or talked or not moves.is_wanted(attempt) else target_at(attempt, step + 1)
    newer = moves.newer_transfer(attempt)
    changes = facts.leaving(callback, at)
    if talked and not gone and newer is None:
        changes = human_ended_it(at)
    event = intake.record(
        attempt.call_id,
        at=at,
        kind=Kind.CARRIER_HUMAN_DIAL_ENDED,
        lane=Lane.CARRIER,
        body=facts.dial_end_body(callback, via=via_of(request), label=label_at(attempt, step), transfer=attempt.pk),
        source="twilio",
        source_id=delivery,
        legs=facts.legs_at_dial_end(callback, attempt.call, Role.HUMAN),
        changes=changes,
    )
    if event is not None:
        more = _was_cut(attempt, callback) if via_of(request) == Mechanism.REFER else following is not None
        _as_evidence(attempt, callback, event, at, step=step, via=via_of(request), more=more)
    if gone:
        return document(answers.nothing())
    if newer is not None:
        return document(answers.bridge(newer))
    if talked:
        return document(answers.goodbye())
    if following is not None:
        return document(answers.human(attempt, following, via=via_of(request), step=step + 1))
    return document(_back_to_the_ai(attempt, at, via=via_of(request), delivery=delivery))


def _was_cut(attempt: TransferAttempt, callback: Callback) -> bool:
    """A redirect that takes effect ends the ring a REFER began, and rings the same phone again (Twilio 3.2, 3.3)."""
    if attempt.redirect_asked_at is None or attempt.redirect_answer in (Answer.REFUSED, Answer.BUSY):
        return False
    unanswered = callback.dial_call_status == "no-answer" and attempt.redirect_answer != Answer.LOST
    return unanswered or callback.dial_call_status == "canceled"


def _as_evidence(
    attempt: TransferAttempt,
    callback: Callback,
    event: Event,
    at: datetime,
    *,
    step: int,
    via: Mechanism,
    more: bool,
) -> None:
    """A caller who hung up while the human's phone rang left; everything else is how the dial ended."""
    if facts.caller_is_gone(callback) and callback.dial_bridged is not True:
        moves.caller_left(attempt.call_id, at=at, event=event)
        return
    detail = {
        "via": via,
        **_dialled(attempt, step),
        "dial_status": callback.dial_call_status,
        "bridged": callback.dial_bridged,
        "sid": callback.dial_call_sid,
        "sip_code": callback.dial_sip_response_code,
        "more": more,
    }
    moves.human_said(attempt, FactKind.HUMAN_DIAL_ENDED, at=at, event=event, detail=detail)


def _back_to_the_ai(attempt: TransferAttempt, at: datetime, *, via: Mechanism, delivery: str) -> str:
    """Nobody took the call: a fresh AI dial, whose assistant is told so; its own `action` is the way out.

    After a REFER the carrier itself gives the caller back to the AI and runs no answer of ours (contract Twilio 2.3):
    the AI that is still there is told over its sideband. Should the carrier run our answer after all, the caller still
    gets to the AI, but nothing is expected by a deadline.
    """
    call = Call.objects.get(pk=attempt.call_id)
    if via == Mechanism.REFER:
        return answers.ai(call, at=at)
    why = evidence.why_nobody_came(attempt)
    rescuing.led_on(call, at, to="the assistant", why=why, delivery=delivery)
    return rescuing.back_to_the_ai(call, at, delivery=delivery)


def attempt_of(token: str) -> TransferAttempt:
    """The transfer an address is about, locked for the rest of the transaction, and its call with it; or 404."""
    return evidence.locked(get_object_or_404(TransferAttempt.objects.only("pk"), token=token).pk)


def via_of(request: HttpRequest) -> Mechanism:
    """By which way the caller came: what we wrote into the address, which the signature covers."""
    word = request.GET.get("via", "")
    return Mechanism(word) if word in (Mechanism.REFER, Mechanism.DIAL_ACTION) else Mechanism.REDIRECT


def _dialled(attempt: TransferAttempt, step: int) -> dict[str, Any]:
    """Whose phone of the chain it is."""
    target = target_at(attempt, step)
    return {"step": step, "label": label_at(attempt, step), "uri": target.uri if target else ""}


def label_at(attempt: TransferAttempt, step: int) -> str:
    """What the destination of one step is called."""
    target = target_at(attempt, step)
    return target.label if target else attempt.target_label
