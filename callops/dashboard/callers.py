"""Callers to call back: nobody was there for them, neither the AI nor a human, and not on a later call either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from callops.alerts.fates import Fate, with_fate
from callops.calls.models import Call
from callops.calls.withheld import SPELLINGS
from callops.calls.words import EndedBy
from callops.core.ids import first_id
from callops.people.standing import EVERYTHING, Scope

MOST = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """One number (empty: all who withheld theirs), how often it called in vain, and its newest such call."""

    number: str
    times: int
    newest: Call


def to_call_back(since: datetime, scope: Scope = EVERYTHING) -> Sequence[Caller]:
    """Those whose newest call in vain is the newest first, at most `MOST`. Two queries."""
    groups = list(
        scope.calls(_in_vain(since))
        .values("caller")
        .annotate(times=Count("pk"), newest=Max("pk"))
        .order_by("-newest")
        .values_list("caller", "times", "newest")[:MOST]
    )
    calls = Call.objects.select_related("line").in_bulk([newest for _, _, newest in groups])
    return [Caller(number, times, calls[newest]) for number, times, newest in groups if newest in calls]


def _in_vain(since: datetime) -> QuerySet[Any]:
    """Calls since then that failed, or whose caller left, before anybody was there; `caller` is whom to group by.

    A later call of the same number on which somebody was there settles it; who withheld a number cannot be told apart.
    """
    over = Call.objects.filter(pk__gte=first_id(since)).exclude(end_wish=EndedBy.OPERATOR).order_by()
    nobody = with_fate(over).filter(~Q(failure_stage="") | Q(caller_left_at__isnull=False), fate=Fate.LOST)
    spelling = nobody.annotate(spelling=Lower("from_number"))
    known: QuerySet[Any] = spelling.annotate(
        caller=Case(When(spelling__in=SPELLINGS, then=Value("")), default=F("from_number"))
    )
    later = Call.objects.filter(from_number=OuterRef("from_number"), pk__gt=OuterRef("pk"))
    return known.filter(Q(caller="") | ~Exists(with_fate(later).filter(reached=True)))
