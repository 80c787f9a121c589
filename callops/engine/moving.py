"""Carrying out transfers: look at the attempt, take the one next step, look again (design.md section 4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
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
from callops.transfers import lookups, steps, taking, trunk
from callops.transfers.addresses import of_transfer
from callops.transfers.commands import ASSISTANT
from callops.transfers.models import Company, Mechanism, TransferAttempt
from callops.transfers.steps import Errand
from callops.transfers.strategies import Act
from callops.transfers.taking import Taken

logger = logging.getLogger(__name__)

MAX_STEPS_AT_ONCE = 10
SEND_TIMEOUT_S = 0.5


class Mover:
    """Takes the steps of transfers for one process; side errands (a REFER that hangs) never hold the watchdog up."""

    def __init__(self, outside: Outside, *, clock: Callable[[], datetime]) -> None:
        self._outside = outside
        self._clock = clock
        self._errands: set[asyncio.Task[None]] = set()

    async def advance(self, attempt_id: str) -> None:
        """Every step that is due now was taken; the attempt says when it wants to be looked at next."""
        await self.carry_out(await in_db(taking.take)(attempt_id, self._clock()))

    async def carry_out(self, taken: Taken | None) -> None:
        """This step was carried out, and every one that is due after it."""
        for left in reversed(range(MAX_STEPS_AT_ONCE)):
            if taken is None:
                return
            with about_call(taken.attempt.call_id):
                taken = await self._carry_out(taken, goes_on=left > 0)

    async def finish(self, *, within_s: float = 5.0) -> None:
        """Errands under way were given a moment to write down their answers."""
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
        return await in_db(taking.take)(pk, self._clock()) if goes_on else None

    async def _send_refer(self, errand: Errand) -> None:
        answer = await self._outside.refer(errand.ai_call_id, errand.target_uri)
        await in_db(steps.refer_answered)(errand.attempt.pk, answer, now=self._clock())

    async def _redirect(self, errand: Errand, *, goes_on: bool) -> Taken | None:
        self._keep_company(errand, speak=False)
        url = of_transfer("transfer", errand.attempt, via=Mechanism.REDIRECT)
        answer = await self._outside.redirect(errand.carrier_sid, url)
        return await in_db(taking.redirect_answered)(errand.attempt.pk, answer, self._clock(), goes_on=goes_on)

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


async def _to_sideband(call_id: str, message: dict[str, Any]) -> None:
    """Heard by whichever process holds the call's sideband; a failing layer costs the message, never the transfer."""
    try:
        await asyncio.wait_for(ask(call_id, message), SEND_TIMEOUT_S)
    except Exception:
        logger.exception("The sideband of %s could not be told", call_id)


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
