"""Counting what must stay visible, such as refused webhooks."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from callops.core.models import Counter

REASON_CHARS = 200


def bump(name: str, now: datetime, reason: str = "", *, times: int = 1) -> None:
    """So many more of `name`, with the time and the reason of the last; safe from any number of processes at once."""
    if _add(name, now, reason, times):
        return
    try:
        with transaction.atomic():
            Counter.objects.create(name=name, count=times, last_at=now, last_reason=reason[:REASON_CHARS])
    except IntegrityError:
        _add(name, now, reason, times)


def _add(name: str, now: datetime, reason: str, times: int) -> bool:
    counter = Counter.objects.filter(name=name)
    return counter.update(count=F("count") + times, last_at=now, last_reason=reason[:REASON_CHARS]) == 1
