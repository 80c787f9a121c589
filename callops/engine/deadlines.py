"""Deadlines that are kept in the database, and what falls due: webhooks that stay away, ends that were asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from callops.calls import intake, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, CallQuerySet
from callops.calls.words import EndedBy, Lane, Topology
from callops.core.config import config
from callops.core.database import in_db
from callops.core.prepared import Asked, Prepared
from callops.engine.outside import Outside
from callops.sideband.models import SESSION_LASTS, AiSession

WARN_AFTER = timedelta(minutes=55)
END_AGAIN = timedelta(seconds=16)
"""Longer than a living process may take for both questions; after that it is gone, or they were of no use."""
MAX_ENDS = 3


def missing_webhooks(now: datetime) -> None:
    """A webhook that stayed away past its deadline is a fact, not a silence (contract OpenAI 5.2)."""
    if not _ANY_DUE(now=now):
        return
    missing = Call.objects.unfinished().filter(webhook_due_at__lte=now, ai_call_id__isnull=True)
    if missing.exists():
        _miss(missing, now)


@transaction.atomic
def _miss(due: CallQuerySet, now: datetime) -> None:
    for call in due.select_for_update()[:100]:
        intake.record(
            call.pk,
            at=now,
            kind=Kind.CLOCK_WEBHOOK_MISSING,
            lane=Lane.CLOCK,
            body={"deadline_s": config().webhook_deadline_s},
            changes={"webhook_due_at": None},
        )


def sessions_near_their_end(now: datetime) -> None:
    """A session that ends at 60 minutes whatever is being said is warned of at 55, once (contract OpenAI 4.3)."""
    if not _ANY_OLD(before=now - WARN_AFTER):
        return
    old = _old(now - WARN_AFTER)
    for session in list(old[:100]):
        if old.filter(pk=session.pk).update(warned_at=now) == 1 and session.opened_at:
            body = {"ends_at": (session.opened_at + SESSION_LASTS).isoformat()}
            intake.record(session.call_id, at=now, kind=Kind.CLOCK_SESSION_NEARLY_OVER, lane=Lane.CLOCK, body=body)


def wished_ends(now: datetime) -> list[str]:
    """Calls an operator wants ended: nobody has asked for it yet, or it was asked for and did not come of it."""
    wished = [pk for (pk,) in _WISHED(again=now - END_AGAIN)]
    if not wished:
        return []
    asked = Count("events", filter=Q(events__kind=Kind.US_HANGUP_ASKED))
    wanted = Call.objects.filter(pk__in=wished).annotate(asked=asked).filter(asked__lt=MAX_ENDS)
    return list(wanted.values_list("pk", flat=True)[:100])


def _old(before: Any) -> QuerySet[AiSession]:
    return AiSession.objects.filter(opened_at__lte=before, closed_at__isnull=True, warned_at__isnull=True)


def _unasked(again: Any) -> Q:
    """Nobody asked for it, or not since that moment."""
    return Q(hangup_asked_at__isnull=True) | Q(hangup_asked_at__lte=again)


_ANY_DUE = Prepared(lambda: Call.objects.filter(webhook_due_at__lte=Asked("now")).order_by().values_list("pk")[:1])
_ANY_OLD = Prepared(lambda: _old(Asked("before")).order_by().values_list("pk")[:1])
_WISHED = Prepared(
    lambda: (
        Call.objects.unfinished()
        .filter(_unasked(Asked("again")), end_wish=EndedBy.OPERATOR)
        .order_by()
        .values_list("pk")
    )
)


async def end(outside: Outside, call_id: str, *, now: datetime) -> None:
    """Both legs were asked to end, by one process at a time; the carrier is asked afterwards whether they did."""
    call = await in_db(_claim_end)(call_id, now)
    if call is None:
        return
    if call.carrier_sid and call.topology == Topology.TWIML:
        carrier = await outside.complete(call.carrier_sid)
        await in_db(_write)(call, Kind.CARRIER_HANGUP_ANSWERED, Lane.CARRIER, carrier.body(), now)
    if call.ai_call_id:
        ai = await outside.hang_up_ai(call.ai_call_id)
        await in_db(_write)(call, Kind.OPENAI_HANGUP_ANSWERED, Lane.OPENAI, ai.body(), now)


@transaction.atomic
def _claim_end(call_id: str, now: datetime) -> Call | None:
    claimed = Call.objects.filter(_unasked(now - END_AGAIN), pk=call_id).update(
        hangup_asked_at=now, carrier_check_at=now, carrier_checks=0
    )
    if claimed != 1:
        return None
    call = Call.objects.get(pk=call_id)
    timeline.append(call, at=now, kind=Kind.US_HANGUP_ASKED, lane=Lane.US)
    return call


def _write(call: Call, kind: Kind, lane: Lane, body: dict[str, object], now: datetime) -> None:
    timeline.append(call, at=now, kind=kind, lane=lane, body=body)
