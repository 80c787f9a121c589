"""What the doors refused, by hour, reason and likely cause, so that a wrong setting is found by whoever set it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from callops.core.doors import Door
from callops.core.models import Refusal

KEPT = timedelta(days=30)
REASON_CHARS, CAUSE_CHARS = 120, 300


def note(door: Door, reason: str, cause: str, now: datetime, *, times: int = 1) -> None:
    """So many more of this hour; hours older than `KEPT` are forgotten. Neither reason nor cause may hold a secret."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    of_this = {"door": door.name, "hour": hour, "reason": reason[:REASON_CHARS], "cause": cause[:CAUSE_CHARS]}
    if _add(of_this, now, times):
        return
    Refusal.objects.filter(hour__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            Refusal.objects.create(**of_this, count=times, last_at=now)
    except IntegrityError:
        _add(of_this, now, times)


def _add(of_this: dict[str, object], now: datetime, times: int) -> bool:
    return Refusal.objects.filter(**of_this).update(count=F("count") + times, last_at=now) == 1
