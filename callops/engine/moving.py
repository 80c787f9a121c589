"""Carrying out transfers: look at the attempt, take the one next step, look again (design.md section 4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls import intake, timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane, Role
from callops.core.database import in_db
from callops.core.logs import about_call
from callops.engine import telling
from callops.engine.asides import summary_question
from callops.engine.carrier import children_seen, leg_news
from callops.engine.outside import Outside
from callops.engine.sideband_consumer import ask
from callops.providers.receipt import ProviderError
from callops.providers.told import Told
from callops.providers.twilio.calls import CarrierCall
from callops.transfers import asides, evidence, lookups, steps, trunk, wishes
from callops.transfers.addresses import of_transfer
from callops.transfers.commands import ASSISTANT
from callops.transfers.held import Held
from callops.transfers.models import Company, Mechanism, TransferAttempt
from callops.transfers.steps import Errand
from callops.transfers.strategies import Act, Step, next_step

logger = logging.getLogger(__name__)

MAX_STEPS_AT_ONCE = 10
SEND_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    attempt: TransferAttempt
    act: Act
    errand: Errand | None = None
    """What must be sent: this process won the claim."""
    call_to_ask: str | None = None
    """The call whose assistant is to be asked for a summary."""


class Mover:
    """Takes the steps of transfers for one process; side errands (a REFER that hangs) never hold the watchdog up."""

    def __init__(self, outside: Outside, *, clock: Callable[[], datetime]) -> None:
        self._outside = outside
        self._clock = clock
        self._errands: set[asyncio.Task[None]] = set()
        self._go_on: wishes.GoOn | None = None

    def hears(self, *, start: Callable[..., None], unless: asyncio.Event) -> wishes.GoOn:
        """From now on a transfer that is asked for in this process goes on as soon as its wish is durable.

        `start` begins the job by a name, if none by that name is running; what it is called with is returned.
        """

        def go_on(attempt_id: str) -> None:
            if not unless.is_set():
                start(f"move:{attempt_id}", self.advance, attempt_id)

        if self._go_on is None:
            self._go_on = go_on
            wishes.hear(go_on)
        return self._go_on

    async def advance(self, attempt_id: str) -> None:
        """Every step that is due now was taken; the attempt says when it wants to be looked at next."""
        taken = await in_db(_take)(attempt_id, self._clock())
        for left in reversed(range(MAX_STEPS_AT_ONCE)):
            if taken is None:
                return
            with about_call(taken.attempt.call_id):
                taken = await self._carry_out(taken, goes_on=left > 0)

    async def finish(self, *, within_s: float = 5.0) -> None:
        """Errands under way were given a moment to write down their answers, and no wish is heard any more."""
        if self._go_on is not None:
            wishes.hear_no_more(self._go_on)
        if self._errands:
            await asyncio.wait(self._errands, timeout=within_s)
        for task in self._errands:
            task.cancel()

    async def _carry_out(self, taken: Taken, *, goes_on: bool) -> Taken | None:
        """What the step wants of others: nothing, when all of it was to be written down. The step after it, which is
        claimed only by who `goes_on` and carries it out.
        """
        pk = taken.attempt.pk
        if taken.errand is not None and taken.act == Act.REFER:
            self._spawn(self._send_refer(taken.errand))
            self._keep_company(taken.errand, speak=taken.attempt.requested_by != ASSISTANT)
            return None
        if taken.errand is not None and taken.act == Act.REDIRECT:
            return await self._redirect(taken.errand, goes_on=goes_on)
        if taken.errand is not None:
            await self._end_ai_leg(taken.errand)
        elif taken.call_to_ask is not None:
            self._spawn(_to_sideband(taken.call_to_ask, {"type": "sideband.send", "event": summary_question(pk)}))
        elif taken.act == Act.LOOK_UP:
            await self._look_up(taken.attempt)
        elif taken.act == Act.LOOK_FOR_CHILD:
            await self._look_for_child(taken.attempt)
        return await in_db(_take)(pk, self._clock()) if goes_on else None

    async def _send_refer(self, errand: Errand) -> None:
        answer = await self._outside.refer(errand.ai_call_id, errand.target_uri)
        await in_db(steps.refer_answered)(errand.attempt.pk, answer, now=self._clock())

    async def _redirect(self, errand: Errand, *, goes_on: bool) -> Taken | None:
        self._keep_company(errand, speak=False)
        url = of_transfer("transfer", errand.attempt, via=Mechanism.REDIRECT)
        answer = await self._outside.redirect(errand.carrier_sid, url)
        return await in_db(_redirect_answered)(errand.attempt.pk, answer, self._clock(), goes_on=goes_on)

    def _keep_company(self, errand: Errand, *, speak: bool) -> None:
        """The assistant is told beside the request that moves the caller, never in front of it (law 7)."""
        if errand.attempt.company == Company.NONE:
            self._spawn(telling.keep_company(errand.attempt.pk, speak=speak, now=self._clock()))

    async def _look_up(self, attempt: TransferAttempt) -> None:
        """Ask the carrier before anything is repeated (law 3)."""
        legs = (attempt.call.carrier_sid or "", attempt.call.ai_leg_sid)
        caller, ai = await asyncio.gather(*(self._leg(sid) for sid in legs))
        await in_db(_write_look_up)(attempt, caller, ai, self._clock())

    async def _leg(self, sid: str) -> CarrierCall | None:
        """The leg as the carrier tells it; None when it could not be asked."""
        try:
            return await self._outside.look_up(sid) if sid else None
        except (ProviderError, ValueError) as error:
            logger.warning("The carrier could not be asked about %s: %s", sid, error)
            return None

    async def _look_for_child(self, attempt: TransferAttempt) -> None:
        sid = attempt.call.carrier_sid or ""
        try:
            children = await self._outside.children(sid)
        except (ProviderError, ValueError) as error:
            children = ()
            logger.warning("The carrier could not be asked about children of %s: %s", sid, error)
        await in_db(_write_children)(attempt, children, self._clock())

    async def _end_ai_leg(self, errand: Errand) -> None:
        """The second carrier path: the AI's leg ends, and the dial's `action` dials the human."""
        ended = await self._outside.complete(errand.ai_leg_sid)
        if not ended.is_ok and errand.ai_call_id:
            ended = await self._outside.hang_up_ai(errand.ai_call_id)
        await in_db(_write_hangup)(errand.attempt, ended, self._clock())

    def _spawn(self, errand: object) -> None:
        task = asyncio.ensure_future(errand)  # type: ignore[call-overload]
        self._errands.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A transfer's errand failed", exc_info=error)


@transaction.atomic
def _take(attempt_id: str, now: datetime) -> Taken | None:
    """The attempt's next step is taken as far as it is to be written down; what is left of it is carried out. None when
    no step is due. Nothing is learnt about the attempt between the look and the claim: it is locked.
    """
    held = _look(attempt_id, now)
    return None if held is None else _stepped(held, now)


@transaction.atomic
def _redirect_answered(attempt_id: str, answer: Told, now: datetime, *, goes_on: bool = True) -> Taken | None:
    """The answer is written down, and for who `goes_on` the next step is taken as `_take` does."""
    held = evidence.hold(attempt_id)
    steps.redirect_answered(held, answer, now=now)
    return _stepped(held, now) if goes_on and held.attempt.is_open else None


def _stepped(held: Held, now: datetime) -> Taken | None:
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


async def _to_sideband(call_id: str, message: dict[str, Any]) -> None:
    """Heard by whichever process holds the call's sideband; a failing layer costs the message, never the transfer."""
    try:
        await asyncio.wait_for(ask(call_id, message), SEND_TIMEOUT_S)
    except Exception:
        logger.exception("The sideband of %s could not be told", call_id)


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


@transaction.atomic
def _write_look_up(attempt: TransferAttempt, found: CarrierCall | None, ai: CarrierCall | None, now: datetime) -> None:
    told = {"caller": found.status if found else None, "ai_leg": ai.status if ai else None}
    body = {"sid": attempt.call.carrier_sid, "status": told["caller"], "ai_leg": told["ai_leg"]}
    legs = [leg_news(found, Role.CALLER)] if found and found.parent_sid is None else []
    event = intake.note(
        attempt.call_id,
        at=now,
        kind=Kind.CARRIER_LOOKED_UP,
        lane=Lane.CARRIER,
        body={**body, "transfer": attempt.pk},
        legs=legs,
    )
    over = found is not None and found.is_over and found.parent_sid is None
    lookups.looked_up(attempt.pk, now=now, event=event, is_over=over, **told)


def _write_children(attempt: TransferAttempt, children: tuple[CarrierCall, ...], now: datetime) -> None:
    TransferAttempt.objects.filter(pk=attempt.pk).update(looked_up_at=now)
    children_seen(attempt.call_id, children, now)
    attempt.refresh_from_db()
    trunk.watch_on(attempt, now=now)


@transaction.atomic
def _write_hangup(attempt: TransferAttempt, ended: Told, now: datetime) -> None:
    body = {**ended.body(), "leg": "ai"}
    event = timeline.note(attempt.call, at=now, kind=Kind.CARRIER_HANGUP_ANSWERED, lane=Lane.CARRIER, body=body)
    lookups.ai_leg_end_answered(attempt.pk, ended.body(), now=now, event=event)
