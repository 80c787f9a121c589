"""Asking the carrier how a call stands, whenever that is in question: a closed session is not an ended call."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from callops.calls import intake
from callops.calls.intake import LegNews
from callops.calls.kinds import Kind
from callops.calls.models import Call, Leg
from callops.calls.words import Lane, LegStatus, Role, Topology
from callops.core.database import in_db
from callops.core.prepared import Asked, Prepared
from callops.engine.outside import Outside
from callops.providers.receipt import ProviderError, Refused
from callops.providers.twilio.calls import CarrierCall
from callops.transfers import moves, trunk
from callops.transfers.models import TransferAttempt

logger = logging.getLogger(__name__)

NOT_FOUND = 404
UNKNOWN_AFTER = 3
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


def questions(now: datetime) -> list[str]:
    """Calls about which the carrier is to be asked now."""
    return [pk for (pk,) in _DUE(now=now)]


_DUE = Prepared(lambda: Call.objects.unfinished().filter(carrier_check_at__lte=Asked("now")).values_list("pk")[:200])


async def ask(outside: Outside, call_id: str, *, now: datetime) -> None:
    """The carrier's word on the caller's leg (on a trunk: its children) is a fact; until it is over we ask again."""
    call = await in_db(Call.objects.get)(pk=call_id)
    sid = call.carrier_sid or ""
    try:
        if call.topology == Topology.TRUNK:
            await in_db(_write_trunk)(call, await outside.children(sid), now)
        else:
            await in_db(_write)(call, await outside.look_up(sid), now)
    except Refused as refusal:
        await in_db(_refused)(call, refusal, now)
    except (ProviderError, ValueError) as error:
        logger.warning("The carrier could not be asked about %s: %s", sid, error)
        await in_db(_ask_again)(call, now)


def leg_news(found: CarrierCall, role: Role) -> LegNews:
    """What a REST answer says of a leg."""
    status = LegStatus(found.status) if found.status in LegStatus.values else LegStatus.IN_PROGRESS
    return LegNews(sid=found.sid, role=role, status=status, parent_sid=found.parent_sid or "", looked_up=True)


@transaction.atomic
def children_seen(call_id: str, children: Iterable[CarrierCall], now: datetime) -> None:
    """Each child leg of a trunk call is on the timeline once for each of its statuses (contract Twilio 4).

    It is evidence of the transfer that made it, whichever question to the carrier brought it up.
    """
    for child in children:
        event = intake.record(
            call_id,
            at=now,
            kind=Kind.CARRIER_CHILD_SEEN,
            lane=Lane.CARRIER,
            body={"sid": child.sid, "to": child.to, "status": child.status},
            source="twilio",
            source_id=f"child:{child.sid}:{child.status}",
            legs=[leg_news(child, Role.HUMAN)],
            changes={"carrier_check_at": now + timedelta(seconds=PAUSES_S[0]), "carrier_checks": 0},
        )
        attempt = _transfer_of(call_id, child) if event else None
        if event is not None and attempt is not None:
            status = {"status": child.status, "is_over": child.is_over}
            trunk.child_seen(attempt.pk, now=now, event=event, status=status)


def _transfer_of(call_id: str, child: CarrierCall) -> TransferAttempt | None:
    """The transfer this child was seen with before, else the newest one that asked for a REFER."""
    told_before = TransferAttempt.objects.filter(call_id=call_id, evidence__event__body__sid=child.sid)
    return told_before.first() or moves.last_referred(call_id)


def _write(call: Call, found: CarrierCall, now: datetime) -> None:
    if found.parent_sid is not None:
        logger.error("The leg %s was taken for the caller's but has a parent", found.sid)
        Call.objects.filter(pk=call.pk).update(carrier_check_at=None)
        return
    known = Leg.objects.filter(sid=found.sid).values_list("status", flat=True).first()
    if known != found.status:
        repaired = found.is_over and not call.is_over
        body = {"sid": found.sid, "status": found.status, "repaired": repaired}
        legs = [leg_news(found, Role.CALLER)]
        event = intake.note(call.pk, at=now, kind=Kind.CARRIER_LOOKED_UP, lane=Lane.CARRIER, body=body, legs=legs)
        if found.is_over:
            moves.caller_left(call.pk, at=now, event=event)
    if not found.is_over:
        _ask_again(call, now)


def _refused(call: Call, refusal: Refused, now: datetime) -> None:
    """A leg the carrier keeps saying it does not know is over; any other refusal is asked about again (Twilio 3.5)."""
    if refusal.status != NOT_FOUND or call.carrier_checks < UNKNOWN_AFTER or call.topology == Topology.TRUNK:
        logger.warning("The carrier would not tell about %s: %s", call.carrier_sid, refusal)
        _ask_again(call, now)
        return
    body = {"sid": call.carrier_sid, "status": "not known to the carrier", "error_code": refusal.code}
    gone = LegNews(sid=call.carrier_sid or "", role=Role.CALLER, status=LegStatus.COMPLETED, looked_up=True)
    event = intake.note(call.pk, at=now, kind=Kind.CARRIER_LOOKED_UP, lane=Lane.CARRIER, body=body, legs=[gone])
    moves.caller_left(call.pk, at=now, event=event)


def _write_trunk(call: Call, children: tuple[CarrierCall, ...], now: datetime) -> None:
    children_seen(call.pk, children, now)
    talking = any(not child.is_over for child in children)
    if talking:
        _ask_again(call, now)
    else:
        Call.objects.filter(pk=call.pk).update(carrier_check_at=None)
        intake.rejudge(call.pk, now=now)


def _ask_again(call: Call, now: datetime) -> None:
    """Again after a growing pause, as long as the question is open."""
    pause_s = PAUSES_S[min(call.carrier_checks, len(PAUSES_S) - 1)]
    Call.objects.filter(pk=call.pk).update(
        carrier_check_at=now + timedelta(seconds=pause_s), carrier_checks=call.carrier_checks + 1
    )
