"""The doors for administrators: what was refused by hour with its likely cause, and what each door takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core import clock
from callops.core.doors import DOORS, KB, Door
from callops.core.models import Refusal
from callops.dashboard import access
from callops.people.roles import Right

SUMMED: Final = timedelta(hours=24)
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What one door takes, in words."""

    name: str
    size: str
    time: str
    rate: str
    bad: str
    at_once: str


@never_cache
@require_safe
@access.with_right(Right.ADMINISTER)
def page(request: HttpRequest) -> HttpResponse:
    """Refusals of the last day by cause, then hour by hour, newest first."""
    since = clock.now() - SUMMED
    causes = Refusal.objects.filter(hour__gte=since).order_by().values("door", "reason", "cause")
    context: dict[str, Any] = {
        "causes": _most_first(causes.annotate(times=Sum("count"), seen_at=Max("last_at"))),
        "hours": list(Refusal.objects.all()[:MOST]),
        "doors": [limits_of(door) for door in DOORS],
        "here": "doors",
    }
    return render(request, "dashboard/doors.html", context)


def limits_of(door: Door) -> Limits:
    """A row of the table of limits; docs/security.md has the same words. Pure."""
    return Limits(
        name=door.name,
        size=f"{door.body // KB} KB",
        time=f"{door.body_s:g} s",
        rate="no limit" if door.a_minute is None else f"{door.a_minute} a minute",
        bad="–" if door.bad_a_minute is None else f"{door.bad_a_minute} a minute",
        at_once="no limit" if door.at_once is None else str(door.at_once),
    )


def _most_first(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (-row["times"], row["door"], row["reason"]))[:MOST]
