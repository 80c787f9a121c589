"""What calls look like from afar: their own columns, how their line is and who looks at them, by one query that the hub
asks many times a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from callops.calls.models import CallQuerySet
from callops.core.prepared import Asked
from callops.sideband import glance
from callops.sideband.glance import Standing
from callops.supervision import presence

_BESIDE = len(glance.BESIDE) + 1


@dataclass(frozen=True, slots=True)
class Afar:
    """One call."""

    columns: Sequence[Any]
    standing: Standing
    looking: tuple[str, ...]
    """Who has the call's page open."""


def columns(calls: CallQuerySet, *names: str) -> QuerySet[Any, Any]:
    """The query for these columns of the calls in their order, the first the call's key; `since` is to be asked."""
    beside = presence.beside(glance.beside(calls), Asked("warm"))
    return beside.order_by(*calls.query.order_by, presence.BESIDE).values_list(*names, *glance.BESIDE, presence.BESIDE)


def since(now: datetime) -> dict[str, datetime]:
    """What is asked with the query: when those who look were seen at the earliest."""
    return {"warm": now - presence.LASTS}


def each(rows: Iterable[Sequence[Any]], now: datetime) -> dict[str, Afar]:
    """The calls that the query found, by key."""
    found: dict[str, Afar] = {}
    for row in rows:
        pk, who = row[0], row[-1]
        if pk not in found:
            standing = glance.standing(glance.of_columns(row[-_BESIDE:-1]), now)
            found[pk] = Afar(row[:-_BESIDE], standing, () if who is None else (who,))
        elif who not in found[pk].looking:
            found[pk] = Afar(found[pk].columns, found[pk].standing, (*found[pk].looking, who))
    return found
