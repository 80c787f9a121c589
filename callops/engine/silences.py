"""What the clock finds on live lines and puts on the timeline, once each: dead air, and promises that nobody kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.words import Lane
from callops.core.prepared import Asked, Prepared
from callops.sideband.glance import talking
from callops.sideband.models import AiSession, Turn
from callops.sideband.promises import PATIENCE, promise_in
from callops.sideband.quiet import QUIET_AFTER, Silence
from callops.transfers.models import TransferAttempt

MAX_A_LOOK = 100
UNTOLD = Q(dead_air_at__isnull=True) | Q(dead_air_at__lt=F("silent_since"))


def dead_air(now: datetime) -> None:
    """Every spell of dead air is on the timeline once, from the moment it is one."""
    if not _ANY_DEAD_AIR(since=now - QUIET_AFTER):
        return
    for session in list(_spells(now - QUIET_AFTER)[:MAX_A_LOOK]):
        _tell_dead_air(session, now)


def said_not_done(now: datetime) -> None:
    """Every promise of a transfer that nothing followed is on the timeline once; nothing is done because of it."""
    if not _ANY_BROKEN(before=now - PATIENCE):
        return
    for session in list(_broken(now - PATIENCE)[:MAX_A_LOOK]):
        _tell_said_not_done(session, now)


def _spells(since: Any) -> QuerySet[AiSession]:
    return talking().filter(UNTOLD, silence=Silence.DEAD_AIR, silent_since__lte=since)


def _broken(before: Any) -> QuerySet[AiSession]:
    """Sessions whose last promise was made before that moment, and was not kept."""
    kept = TransferAttempt.objects.filter(
        Q(requested_at__gte=OuterRef("promised_from")) | Q(settled_at__gte=OuterRef("promised_from")),
        call=OuterRef("call"),
    )
    due = talking().exclude(promised_item="").exclude(missed_item=F("promised_item"))
    return due.filter(~Exists(kept), promised_at__lte=before)


_ANY_DEAD_AIR = Prepared(lambda: _spells(Asked("since")).order_by().values_list("pk")[:1])
_ANY_BROKEN = Prepared(lambda: _broken(Asked("before")).order_by().values_list("pk")[:1])


@transaction.atomic
def _tell_said_not_done(session: AiSession, now: datetime) -> None:
    item_id, ended_at = session.promised_item, session.promised_at
    untold = AiSession.objects.filter(pk=session.pk).exclude(missed_item=item_id)
    if ended_at is None or untold.update(missed_item=item_id) != 1:
        return
    text = Turn.objects.filter(call=session.call_id, item_id=item_id).values_list("text", flat=True).first() or ""
    body = {
        "said": promise_in(text) or text,
        "item_id": item_id,
        "seconds": round((now - ended_at).total_seconds(), 1),
    }
    intake.record(session.call_id, at=now, kind=Kind.CLOCK_SAID_NOT_DONE, lane=Lane.CLOCK, body=body)


@transaction.atomic
def _tell_dead_air(session: AiSession, now: datetime) -> None:
    since = session.silent_since
    spell = AiSession.objects.filter(UNTOLD, pk=session.pk, silent_since=since)
    if since is None or spell.update(dead_air_at=now) != 1:
        return
    body = {"seconds": round((now - since).total_seconds(), 1), "since": since.isoformat()}
    intake.record(session.call_id, at=now, kind=Kind.CLOCK_DEAD_AIR, lane=Lane.CLOCK, body=body)
