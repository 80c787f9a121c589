"""Counting what must stay visible, such as refused webhooks."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from callops.core.models import Counter

REASON_CHARS = 200


def bump(name: str, now: datetime, reason: str = "") -> None:
    """One more of `name`, with the time and the reason of this one; safe from any number of processes at once."""
    if _add_one(name, now, reason):
        return
    try:
        with transaction.atomic():
            Counter.objects.create(name=name, count=1, last_at=now, last_reason=reason[:REASON_CHARS])
    except IntegrityError:
        _add_one(name, now, reason)


def _add_one(name: str, now: datetime, reason: str) -> bool:
    counter = Counter.objects.filter(name=name)
    return counter.update(count=F("count") + 1, last_at=now, last_reason=reason[:REASON_CHARS]) == 1
