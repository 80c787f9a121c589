"""One owner per sideband, by lease in the database: when a worker dies its leases run out and another attaches.

Leases are measured by the database's own clock, so engines whose machines disagree about the time agree about them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, Count, DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now

from callops.calls.models import Call
from callops.core import beats, clock, counters
from callops.core.notify import calls_changed
from callops.core.prepared import Asked, Prepared, PreparedChange, among
from callops.sideband.models import AiSession
from callops.sideband.sharing import House, how_many

LEASE_S = 5.0
RENEWED_AFTER_S = 1.5
"""A lease is renewed once so much of it is over: the row of every session and its indexes are written each time."""
OVER_CAPACITY = "engine.over_capacity"
"""Counted whenever an engine took a call for which it had no room, because nobody else had."""
UNHEIRED: dict[str, Any] = {"offered_at": None, "heir": "", "heir_until": None, "heir_at": None}


def wanted(now: datetime | None = None) -> list[tuple[int, str]]:
    """Accepted, unfinished sessions that nobody holds, oldest first, as (session, call)."""
    return list(_waiting(now).order_by("pk").values_list("pk", "call_id"))


def claim(session_id: int, *, owner: str, now: datetime | None = None) -> bool:
    """The socket is ours for `LEASE_S` seconds; False when somebody else was first."""
    return bool(_take([session_id], owner=owner, now=now))


def claim_share(*, owner: str, capacity: int, but_not: Collection[int] = ()) -> list[int]:
    """The sessions this engine took now: its share of those nobody holds, each for `LEASE_S` seconds.

    Where nobody waits it is one query, and no transaction.
    """
    # nearly always there is none, and to leave out hundreds by name costs more than to look at these few
    rows = [row for row in _LONGEST_WAITING(now=None) if row[0] not in but_not]
    if not rows:
        return []
    now = clock.now()
    house = House(
        mine=len(but_not),
        everybodys=_how_many_are_held(),
        engines=max(1, beats.engines(now)),
        capacity=capacity,
        waiting_s=[(now - since).total_seconds() for _, since in rows],
    )
    share = how_many(house)
    taken = _take([pk for pk, _ in rows], owner=owner, now=None, at_most=share) if share else []
    if taken and house.mine + len(taken) > capacity:
        counters.bump(OVER_CAPACITY, now, f"{house.mine + len(taken)} calls, room for {capacity}")
    return taken


def renew(session_ids: Collection[int], *, owner: str, now: datetime | None = None) -> set[int]:
    """The sessions that are still ours, each for `LEASE_S - RENEWED_AFTER_S` seconds at least; the others were taken
    over. While no lease is due to be renewed it is one query, and no transaction.

    Those we are named the heir of are ours to wait for.
    """
    rows = _STILL_MINE(ids=session_ids, owner=owner, now=now)
    due = [pk for pk, is_due in rows if is_due]
    if not due:
        return {pk for pk, _ in rows}
    with transaction.atomic():
        if mine := [pk for (pk,) in _MINE_LOCKED(ids=due, owner=owner)]:
            _EXTENDED(ids=mine, now=now)
    return {pk for pk, is_due in rows if not is_due} | set(mine)


@transaction.atomic
def release(owner: str, session_ids: Collection[int] | None = None) -> None:
    """These sessions (all of this owner when none are named) are free for others at once."""
    mine = AiSession.objects.filter(lease_owner=owner)
    if session_ids is not None:
        mine = mine.filter(pk__in=session_ids)
    _in_order(mine).update(lease_owner="", lease_until=None, **UNHEIRED)


def until(now: Any = None, lease_s: float | None = None) -> Any:
    """When a lease that begins now ends, as the database reckons it."""
    return (Now() if now is None else now) + timedelta(seconds=LEASE_S if lease_s is None else lease_s)


def _in_order(rows: QuerySet[AiSession]) -> QuerySet[AiSession]:
    """The same rows, locked by ascending key as `batches.save` locks them; two who take many never wait in a ring."""
    return AiSession.objects.filter(pk__in=list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)))


def _free(now: Any) -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now() if now is None else now)


def _waiting(now: Any) -> QuerySet[AiSession]:
    return AiSession.objects.filter(_free(now), accepted_at__isnull=False, closed_at__isnull=True)


def _how_many_are_held() -> int:
    return int(next(iter(_HELD()), (0,))[0])


@transaction.atomic
def _take(session_ids: Collection[int], *, owner: str, now: datetime | None, at_most: int | None = None) -> list[int]:
    """Those of them that nobody holds are ours, and no more than `at_most`; rows another engine is taking are left.

    An owner who died without giving its lease back may have read what it did not keep: the call is incomplete.
    """
    rows = _free_locked(at_most)(ids=session_ids, now=now)
    taken = [pk for pk, *_ in rows]
    if not taken:
        return []
    _TAKEN(ids=taken, owner=owner, now=now)
    unsure = [call_id for _, call_id, former, opened_at in rows if former and opened_at]
    if unsure:
        Call.objects.filter(pk__in=unsure).update(incomplete=True)
        calls_changed(unsure)
    return taken


_NOW = Coalesce(Asked("now"), Now(), output_field=DateTimeField())
"""The moment that is given, or else what the database's clock shows."""
_EXTENSION: dict[str, Any] = {"lease_until": until(_NOW)}

_LONGEST_WAITING = Prepared(
    lambda: (
        _waiting(_NOW)
        .annotate(since=Greatest("accepted_at", Coalesce("lease_until", F("accepted_at"))))
        .order_by("since")
        .values_list("pk", "since")
    )
)
_HELD = Prepared(
    lambda: (
        AiSession.objects.filter(accepted_at__isnull=False, closed_at__isnull=True, lease_until__gte=Now())
        .order_by()
        .values("closed_at")
        .annotate(held=Count("pk"))
        .values_list("held")
    )
)


def _among_unfinished() -> QuerySet[AiSession]:
    return AiSession.objects.filter(among("pk", Asked("ids")), closed_at__isnull=True)


_MINE_LOCKED = Prepared(
    lambda: _among_unfinished().filter(lease_owner=Asked("owner")).select_for_update().order_by("pk").values_list("pk")
)
_EXTENDED = PreparedChange(lambda: (AiSession.objects.filter(among("pk", Asked("ids"))), _EXTENSION))
_IS_DUE = Q(lease_owner=Asked("owner")) & _free(until(_NOW, LEASE_S - RENEWED_AFTER_S))
_STILL_MINE = Prepared(
    lambda: (
        _among_unfinished()
        .filter(Q(lease_owner=Asked("owner")) | Q(heir=Asked("owner")))
        .annotate(is_due=ExpressionWrapper(_IS_DUE, output_field=BooleanField()))
        .order_by()
        .values_list("pk", "is_due")
    )
)
_TAKEN = PreparedChange(
    lambda: (
        AiSession.objects.filter(among("pk", Asked("ids"))),
        {"lease_owner": Asked("owner"), **_EXTENSION, **UNHEIRED},
    )
)


@lru_cache(maxsize=64)
def _free_locked(at_most: int | None) -> Prepared:
    """So many of those that nobody holds, the first ones; rows another engine is taking are left."""

    def write() -> QuerySet[Any, Any]:
        can_skip = connection.features.has_select_for_update_skip_locked
        free = _among_unfinished().filter(_free(_NOW)).select_for_update(skip_locked=can_skip).order_by("pk")
        return free.values_list("pk", "call_id", "lease_owner", "opened_at")[:at_most]

    return Prepared(write)
