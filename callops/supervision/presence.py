"""Who has a call's page open: rows kept warm by the live sockets of every process, forgotten by themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet

from callops.calls.models import Call
from callops.core.notify import call_changed
from callops.supervision.models import Presence

LASTS = timedelta(seconds=25)
"""Sockets say so every ten seconds; a browser whose process died is forgotten after this."""
BESIDE = "here__who"
"""Who looks, as a column of calls (`beside`)."""

Calls = TypeVar("Calls", bound=QuerySet[Any, Any])


@transaction.atomic
def here(call_id: str, who: str, *, now: datetime) -> None:
    """This person looks at the call; other watchers are told when they came anew."""
    mine = Presence.objects.filter(call=call_id, who=who)
    warm = mine.filter(seen_at__gt=now - LASTS).exists()
    if not mine.update(seen_at=now) and Call.objects.filter(pk=call_id).exists():
        Presence.objects.create(call_id=call_id, who=who, seen_at=now)
    if not warm:
        call_changed(call_id)


@transaction.atomic
def gone(call_id: str, who: str) -> None:
    """Nobody of that name looks at the call any more."""
    if Presence.objects.filter(call=call_id, who=who).delete()[0]:
        call_changed(call_id)


def looking(call_ids: Collection[str] | None, now: datetime) -> dict[str, tuple[str, ...]]:
    """Who looks at each of these calls (None: any) now, by name. One query."""
    rows = Presence.objects.filter(seen_at__gt=now - LASTS).order_by("who")
    if call_ids is not None:
        rows = rows.filter(call__in=list(call_ids))
    found: dict[str, dict[str, None]] = {}
    for call_id, who in rows.values_list("call_id", "who"):
        found.setdefault(call_id, {})[who] = None
    return {call_id: tuple(names) for call_id, names in found.items()}


def beside(calls: Calls, since: Any) -> Calls:
    """The calls with who looks at them, seen `since`, in the column `BESIDE`: one row more for each further person."""
    return calls.annotate(here=FilteredRelation("presences", condition=Q(presences__seen_at__gt=since)))
