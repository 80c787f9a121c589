"""Signs of life: when each thing that should keep happening last did, across restarts and processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from callops.core.models import Beat
from callops.core.prepared import Asked, Prepared

OPENAI_WEBHOOK = "openai.webhook"
TWILIO_REQUEST = "twilio.request"
ENGINE = "engine:"
AT_MOST_EVERY = timedelta(seconds=1)
ENGINE_LIVES = timedelta(seconds=10)
CLOCKS_MAY_DIFFER = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(hours=1)

_told: dict[str, datetime] = {}


def beat(name: str, now: datetime, says: Mapping[str, Any] | None = None) -> None:
    """It happened, and `says` is what it said of itself; written at most once a second by each process, since nobody
    reads it more exactly.
    """
    last = _told.get(name)
    if last is not None and timedelta() <= now - last < AT_MOST_EVERY:
        return
    _told[name] = now
    fields = {"at": now, "says": dict(says or {})}
    known = Beat.objects.filter(name=name)
    if known.filter(Q(at__lt=now) | _from_the_future(now)).update(**fields) == 0 and not known.exists():
        _begin(name, **fields)


def take_turn(name: str, now: datetime, *, every: timedelta) -> bool:
    """Whether it is time for this again and nobody else, in any process, took the turn.

    Before it is time this is one query, and nothing that writes.
    """
    if _RESTING(name=name, after=now - every, until=now + CLOCKS_MAY_DIFFER):
        return False
    due = Q(at__lte=now - every) | _from_the_future(now)
    if Beat.objects.filter(due, name=name).update(at=now) == 1:
        return True
    return not Beat.objects.filter(name=name).exists() and _begin(name, at=now)


def last(name: str) -> datetime | None:
    """When it last happened; None: never."""
    return Beat.objects.filter(name=name).values_list("at", flat=True).first()


def engines(now: datetime) -> int:
    """How many engines looked around within the last `ENGINE_LIVES`."""
    return len(_LIVING_ENGINES(since=now - ENGINE_LIVES, until=now + CLOCKS_MAY_DIFFER))


def loads(now: datetime) -> dict[str, Mapping[str, Any]]:
    """What each of these engines said of itself at its last look, by name."""
    rows = _engines().filter(at__gte=now - ENGINE_LIVES, at__lte=now + CLOCKS_MAY_DIFFER).values_list("name", "says")
    return {name.removeprefix(ENGINE): says for name, says in rows}


def engine_lives(owner: str, now: datetime, says: Mapping[str, Any] | None = None) -> None:
    """This engine looked around; those that have not for an hour are forgotten."""
    beat(f"{ENGINE}{owner}", now, says)


def engine_left(owner: str) -> None:
    """This engine stopped in good order."""
    _told.pop(f"{ENGINE}{owner}", None)
    Beat.objects.filter(name=f"{ENGINE}{owner}").delete()


def forget_the_dead(now: datetime) -> None:
    """Engines that died an hour ago are no longer in the table."""
    _engines().filter(at__lt=now - FORGOTTEN_AFTER).delete()


def _engines() -> QuerySet[Beat]:
    return Beat.objects.filter(name__startswith=ENGINE)


def _from_the_future(now: datetime) -> Q:
    """A beat that a wrong clock dated ahead is as good as none: it would keep everybody from their turn until then."""
    return Q(at__gt=now + CLOCKS_MAY_DIFFER)


def _begin(name: str, **fields: Any) -> bool:
    try:
        with transaction.atomic():
            Beat.objects.create(name=name, **fields)
    except IntegrityError:
        return False
    return True


_RESTING = Prepared(
    lambda: Beat.objects.filter(name=Asked("name"), at__gt=Asked("after"), at__lte=Asked("until")).values_list("pk")
)
_LIVING_ENGINES = Prepared(
    lambda: _engines().filter(at__gte=Asked("since"), at__lte=Asked("until")).order_by().values_list("pk")
)
