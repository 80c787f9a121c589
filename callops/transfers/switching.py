"""Which way goes first on a line: its health and its breaker are read, a probe is claimed, a breaker is forced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from callops.calls.models import Call, Line
from callops.calls.words import Policy, Topology
from callops.core.prepared import Asked, Prepared
from callops.core.text import storable
from callops.transfers.breaker import Decision, Position, Wish, decide
from callops.transfers.health import WINDOW, WINDOW_S, Fate, Health, Refer, health_of
from callops.transfers.models import BreakerAct, Force, LineBreaker, TransferAttempt
from callops.transfers.steps import is_steerable


class ReasonMissing(Exception):
    """A breaker is not forced or released without saying why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the REFERs of one line do, and where that puts its breaker."""

    line: Line
    breaker: LineBreaker
    health: Health
    decision: Decision


@dataclass(frozen=True, slots=True)
class Way:
    """What a transfer does first, and why when the breaker had a say."""

    redirect_first: bool = False
    because: str = ""


def standing(line: Line, *, now: datetime) -> Standing:
    """The line's breaker as it stands now. Two queries."""
    found = LineBreaker.objects.filter(line=line).first()
    return standing_with(line, found or LineBreaker(line=line), now=now)


def standing_with(line: Line, breaker: LineBreaker, *, now: datetime) -> Standing:
    """The same with the breaker's row in hand. One query."""
    since = now - timedelta(seconds=WINDOW_S)
    refers = [Refer(at, pk, Fate(fate)) for at, pk, fate in _NEWEST(line=line.pk, now=now, since=since)]
    return _standing(line, breaker, refers, now)


def standings(*, now: datetime) -> list[Standing]:
    """The breakers of all lines that have one, by name: a trunk line can only be referred. Two queries."""
    lines = Line.objects.exclude(topology=Topology.TRUNK).select_related("breaker")
    rank = Window(RowNumber(), partition_by=F("call__line"), order_by=[F("refer_asked_at").desc(), F("pk").desc()])
    newest = _known(now, now - timedelta(seconds=WINDOW_S)).annotate(rank=rank).filter(rank__lte=WINDOW)
    refers: defaultdict[int | None, list[Refer]] = defaultdict(list)
    for line_id, at, pk, fate in newest.values_list("call__line", "refer_asked_at", "pk", "fate"):
        refers[line_id].append(Refer(at, pk, Fate(fate)))
    return [_standing(line, breaker_of(line), refers[line.pk], now) for line in lines]


def way_of(call: Call, policy: Policy, *, now: datetime, seen: Standing | None = None) -> Way:
    """What this transfer does first; of several that could be the probe one is.

    Only a caller who can be redirected is switched. Must run in the transaction that records the transfer, so that a
    refused wish takes no probe. `seen`: how the REFERs of its line did a moment ago; whose the probe is is decided now.
    """
    line = call.line
    if policy != Policy.REFER_THEN_REDIRECT or line is None:
        return Way()
    if seen is None or seen.line.pk != line.pk:
        seen = standing(line, now=now)
    if seen.decision.position == Position.CLOSED or not is_steerable(call):
        return Way()
    if seen.decision.position == Position.HALF_OPEN:
        if claim_probe(line.pk, seen=seen.breaker.probe_at, now=now):
            return Way(redirect_first=False, because=seen.decision.because)
        seen = standing(line, now=now)
    if seen.decision.position == Position.CLOSED:
        return Way()
    return Way(redirect_first=True, because=seen.decision.because)


def claim_probe(line_id: int, *, seen: datetime | None, now: datetime) -> bool:
    """The right to send the one probe that is due; `seen`: the last probe as the claimant knows it."""
    LineBreaker.objects.get_or_create(line_id=line_id)
    due = LineBreaker.objects.filter(line_id=line_id, force=Force.AUTO, probe_at=seen)
    return due.update(probe_at=now) == 1


@transaction.atomic
def force(*, line: Line, force: Force, by: str, why: str, now: datetime) -> LineBreaker:
    """The breaker stands where somebody wants it until they say otherwise; who, when and why is kept for ever.

    Asking again for what is so already, in the same words, adds nothing. Raises `ReasonMissing`.
    """
    reason = storable(why).strip()[:300]
    if not reason:
        raise ReasonMissing("Say why; whoever comes after you will want to know.")
    LineBreaker.objects.get_or_create(line=line)
    breaker = LineBreaker.objects.select_for_update().get(line=line)
    if (breaker.force, breaker.forced_by, breaker.why) == (force, by, reason):
        return breaker
    BreakerAct.objects.create(line=line, at=now, by=by, force=force, why=reason)
    breaker.force, breaker.forced_by, breaker.forced_at, breaker.why = force, by, now, reason
    breaker.save(update_fields=["force", "forced_by", "forced_at", "why"])
    return breaker


def release(*, line: Line, by: str, why: str, now: datetime) -> LineBreaker:
    """The breaker decides by itself again; who, when and why is kept."""
    return force(line=line, force=Force.AUTO, by=by, why=why, now=now)


def history(limit: int = 20) -> Sequence[BreakerAct]:
    """What people last did to breakers, newest first. One query."""
    return list(BreakerAct.objects.select_related("line")[:limit])


def _known(now: datetime | Asked, since: datetime | Asked) -> QuerySet[Any]:
    return TransferAttempt.objects.referred(now).filter(refer_asked_at__gte=since, fate__isnull=False)


def _newest() -> QuerySet[Any, Any]:
    known = _known(Asked("now"), Asked("since")).filter(call__line=Asked("line"))
    return known.order_by("-refer_asked_at", "-pk").values_list("refer_asked_at", "pk", "fate")[:WINDOW]


_NEWEST: Final = Prepared(_newest)


def _standing(line: Line, breaker: LineBreaker, refers: Iterable[Refer], now: datetime) -> Standing:
    health = health_of(refers, now=now)
    wish = Wish(force=Force(breaker.force), by=breaker.forced_by, why=breaker.why)
    return Standing(line, breaker, health, decide(health, wish=wish, probe_at=breaker.probe_at, now=now))


def breaker_of(line: Any) -> LineBreaker:
    """The breaker's row that was read with the line, or what it stands for when nobody has needed one yet."""
    return getattr(line, "breaker", None) or LineBreaker(line=line)
