"""The one next step of a transfer, taken: what is to be written down is, and what is left is carried out by an engine
(design.md section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from callops.core.logs import about_call
from callops.transfers import asides, evidence, steps, trunk
from callops.transfers.held import Held
from callops.transfers.models import TransferAttempt
from callops.transfers.steps import Errand, Told
from callops.transfers.strategies import Act, Step, next_step


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    attempt: TransferAttempt
    act: Act
    errand: Errand | None = None
    """What must be sent: this process won the claim."""
    call_to_ask: str | None = None
    """The call whose assistant is to be asked for a summary."""


@transaction.atomic
def take(attempt_id: str, now: datetime) -> Taken | None:
    """The attempt's next step is taken as far as it is to be written down; what is left of it is carried out. None when
    no step is due. Nothing is learnt about the attempt between the look and the claim: it is locked.
    """
    held = _look(attempt_id, now)
    return None if held is None else stepped(held, now)


@transaction.atomic
def redirect_answered(attempt_id: str, answer: Told, now: datetime, *, goes_on: bool = True) -> Taken | None:
    """The answer is written down, and for who `goes_on` the next step is taken as `take` does."""
    held = evidence.hold(attempt_id)
    steps.redirect_answered(held, answer, now=now)
    return stepped(held, now) if goes_on and held.attempt.is_open else None


def stepped(held: Held, now: datetime) -> Taken | None:
    """The next step of an attempt in hand. What follows upon a deadline is claimed with it: both are durable before
    anything is asked of the carrier, and between them nothing could have been learnt.
    """
    attempt = held.attempt
    with about_call(attempt.call_id):
        step = _next(held, now)
        if step.act == Act.MISS_DEADLINE:
            steps.pass_deadline(held, now=now)
            step = _next(held, now) if attempt.is_open else step
        if step.act == Act.WAIT and step.until is not None:
            steps.wait_until(held, step.until)
            return None
        return _begun(held, step, now)


def _next(held: Held, now: datetime) -> Step:
    """What is to be done now; all that is left for a settled attempt is a late look for its witness."""
    return next_step(steps.situation_of(held, now)) if held.attempt.is_open else Step(Act.LOOK_FOR_CHILD)


def _begun(held: Held, step: Step, now: datetime) -> Taken:
    """The claim of the step, or the fact that it is."""
    act, errand, call_to_ask = step.act, None, None
    if act == Act.ASK_SUMMARY:  # whether a step waits for the answer is the strategy's
        call_to_ask = asides.claim_summary(held, now=now)
    elif act == Act.REFER:
        errand = _refer_begun(held, now)
    elif act == Act.REDIRECT:
        errand = _redirect_begun(held, now)
    elif act == Act.END_AI_LEG:
        errand = steps.claim_end_of_ai_leg(held, now=now, before=held.attempt.ai_leg_ended_at)
    elif act == Act.GIVE_UP:
        steps.give_up(held, now=now, why=step.why)
    return Taken(held.attempt, act, errand, call_to_ask)


def _look(attempt_id: str, now: datetime) -> Held | None:
    """The attempt in hand; None when no step is planned any more."""
    try:
        held = evidence.hold(attempt_id)
    except TransferAttempt.DoesNotExist:
        return None
    attempt = held.attempt
    if attempt.due_at is None:
        return None
    if attempt.is_open or (attempt.due_at <= now and trunk.claim_late_look(attempt, now=now)):
        return held
    return None


def _refer_begun(held: Held, now: datetime) -> Errand | None:
    """The claim of the REFER, and when the attempt is looked at next: nobody waits for OpenAI's answer. None, and given
    up, without a session that could send it.
    """
    errand = steps.claim_refer(held, now=now)
    if errand is None:
        steps.give_up(held, now=now, why="There is no AI session that could send a REFER.")
    elif (then := _next(held, now)).act == Act.WAIT and then.until is not None:
        steps.wait_until(held, then.until)
    return errand


def _redirect_begun(held: Held, now: datetime) -> Errand | None:
    """The claim of the redirect; None, and given up, without a leg of the caller's that the carrier could redirect."""
    errand = steps.claim_redirect(held, tries=held.attempt.redirect_tries, now=now)
    if errand is None and not held.is_steerable:
        steps.give_up(
            held, now=now, why="The caller's own leg at the carrier is not known, so it cannot be redirected."
        )
    return errand
