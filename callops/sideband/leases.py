"""One owner per sideband, by lease in the database: when a worker dies its leases run out and another attaches."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from callops.calls.models import Call
from callops.core.notify import calls_changed
from callops.sideband.models import AiSession

LEASE_S = 5.0


def wanted(now: datetime) -> list[tuple[int, str]]:
    """Accepted, unfinished sessions that nobody holds, oldest first, as (session, call)."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = AiSession.objects.filter(free, accepted_at__isnull=False, closed_at__isnull=True).order_by("pk")
    return list(rows.values_list("pk", "call_id"))


@transaction.atomic
def claim(session_id: int, *, owner: str, now: datetime) -> bool:
    """The socket is ours for `LEASE_S` seconds; False when somebody else was first.

    An owner who died without giving its lease back may have read what it did not keep: the call is incomplete.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    died = AiSession.objects.filter(pk=session_id, lease_until__lt=now, opened_at__isnull=False).exclude(lease_owner="")
    unsure = list(died.values_list("call_id", flat=True))
    rows = AiSession.objects.filter(free, pk=session_id, closed_at__isnull=True)
    won = rows.update(lease_owner=owner, lease_until=now + timedelta(seconds=LEASE_S)) == 1
    if won and unsure:
        Call.objects.filter(pk__in=unsure).update(incomplete=True)
        calls_changed(unsure)
    return won


def renew(session_ids: Collection[int], *, owner: str, now: datetime) -> set[int]:
    """The sessions that are still ours, each for another `LEASE_S` seconds; the others were taken over."""
    mine = AiSession.objects.filter(pk__in=session_ids, lease_owner=owner, closed_at__isnull=True)
    mine.update(lease_until=now + timedelta(seconds=LEASE_S))
    return set(mine.values_list("pk", flat=True))


def release(owner: str, session_ids: Collection[int] | None = None) -> None:
    """These sessions (all of this owner when none are named) are free for others at once."""
    mine = AiSession.objects.filter(lease_owner=owner)
    if session_ids is not None:
        mine = mine.filter(pk__in=session_ids)
    mine.update(lease_owner="", lease_until=None)
