"""When two walks have come to the same place: what can still differ afterwards is all that counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from callops.calls.models import Call, Leg
from callops.sideband.models import AiSession
from callops.transfers.models import TransferAttempt
from tests.street.jobs import Exchange, Seam
from tests.street.legs import Dial, Hold, Wait
from tests.street.world import World

LONG_AGO_S = 60.0
NAMES = frozenset({"id", "token", "key", "because", "last_seq", "turn_rev", "sid", "parent_sid", "ai_call_id"})
"""Columns that differ from walk to walk and decide nothing, or that stand for a row told apart by its place."""


def likeness(world: World) -> Hashable:
    """Equal for two worlds in which the same may happen with the same result."""
    street, now = world.street, world.now
    rows = (Call.objects.all(), Leg.objects.order_by("pk"), TransferAttempt.objects.order_by("pk"))
    return (
        tuple(_row(row, now) for query in rows for row in query),
        tuple(_facts(attempt, now) for attempt in TransferAttempt.objects.order_by("pk")),
        AiSession.objects.filter(closed_at__isnull=True).count(),
        _doing(street.doing, now),
        tuple((it.label, it.way, it.heard, tuple(sorted(_kept(it.params)))) for it in street.queue),
        (street.status, street.refers_out, len(street.seen.dialled), len(street.seen.bridged)),
        tuple(sorted(street.seen.purposes)),
        tuple(_waiting(engine.seams.values()) for engine in world.engines),
        (world.session is None, *vars(world.budget).values()),
    )


def _row(row: Model, now: datetime) -> Hashable:
    fields = row._meta.concrete_fields
    return tuple(_value(getattr(row, field.attname), now) for field in fields if field.attname not in NAMES)


def _value(value: Any, now: datetime) -> Hashable:
    return _age(value, now) if isinstance(value, datetime) else str(value)


def _age(at: datetime, now: datetime) -> float:
    """In tenths of a second, so that the moment each step takes does not count."""
    return max(-LONG_AGO_S, round((at - now).total_seconds(), 1))


def _facts(attempt: TransferAttempt, now: datetime) -> Hashable:
    rows = attempt.evidence.order_by("at", "pk").values_list("kind", "detail__via", "detail__dial_status")
    return tuple(rows)


def _doing(doing: object, now: datetime) -> Hashable:
    if isinstance(doing, Dial):
        child = doing.child
        left = _age(doing.rings_until, now) if not child.bridged else 0.0
        return ("dial", child.role, child.status, doing.way, left, _doing(doing.held, now))
    if isinstance(doing, Hold):
        return ("hold", _age(doing.until, now), doing.way)
    if isinstance(doing, Wait):
        return ("wait", _doing(doing.held, now))
    return str(doing)


def _kept(params: dict[str, str]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in params.items() if not name.endswith("Sid"))


def _waiting(seams: Iterable[Seam]) -> Hashable:
    return tuple(
        (seam.job, seam.what.name, seam.what.applied if isinstance(seam.what, Exchange) else None) for seam in seams
    )
