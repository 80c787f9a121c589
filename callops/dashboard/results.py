"""What did the work: transfers by mechanism, and what became of the REFERs of each line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Q
from django.http import QueryDict

from callops.dashboard import history
from callops.dashboard.forms import HistoryForm
from callops.people.standing import EVERYTHING, Scope
from callops.transfers import switching
from callops.transfers.health import Fate, Interval, wilson
from callops.transfers.models import Force, Mechanism, Outcome, TransferAttempt

DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class MechanismLine:
    """How often one mechanism did the work, how often a human answered, and how long callers waited then."""

    mechanism: str
    count: int
    connected: int
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class ReferLine:
    """What became of the REFERs asked on one line; those still waited for are asked, and nothing else yet."""

    name: str
    asked: int
    proven: int
    late: int
    unproven: int
    refused: int

    @property
    def known(self) -> int:
        return self.proven + self.late + self.unproven + self.refused

    @property
    def proven_percent(self) -> int:
        return round(100 * self.proven / self.known) if self.known else 0

    @property
    def interval(self) -> Interval:
        """The share proven in time, with 95 % confidence."""
        return wilson(self.proven, self.known)


def page(asked: QueryDict, now: datetime, scope: Scope = EVERYTHING) -> dict[str, Any]:
    """Everything on the page: transfers newest first, what came of them by mechanism and by line, and the breakers."""
    chosen = asked.get("days", "")
    days = int(chosen) if chosen in map(str, DAYS) else 7
    since = start_of(days, now)
    wanted = {**HistoryForm(asked).wanted(), "days": days}
    wanted = {name: wanted[name] for name in ("days", "before", "after") if name in wanted}
    attempts = scope.calls(TransferAttempt.objects.filter(requested_at__gte=since), "call__").select_related(
        "call__line"
    )
    return {
        "page": history.keyset(attempts, wanted),
        "mechanisms": by_mechanism(since, scope),
        "refers": refers(since, now, scope),
        "breakers": [each for each in switching.standings(now=now) if scope.sees_line(each.line.pk)],
        "breaker_acts": [act for act in switching.history() if scope.sees_line(act.line_id)],
        "forces": Force.choices,
        "days": days,
        "choices": DAYS,
        "here": "transfers",
    }


def by_mechanism(since: datetime, scope: Scope = EVERYTHING) -> list[MechanismLine]:
    """One line a mechanism, in the order of the words, for transfers asked since then. Two queries."""
    recent = scope.calls(TransferAttempt.objects.filter(requested_at__gte=since), "call__")
    counted = {
        row["mechanism"]: row
        for row in recent.order_by()
        .values("mechanism")
        .annotate(count=Count("pk"), connected=Count("pk", filter=Q(outcome=Outcome.CONNECTED)))
    }
    waits = _waits(
        recent.filter(human_connected_at__isnull=False).values_list("mechanism", "requested_at", "human_connected_at")
    )
    return [
        MechanismLine(word, row["count"], row["connected"], waits.get(word))
        for word in Mechanism.values
        if (row := counted.get(word))
    ]


def refers(since: datetime, now: datetime, scope: Scope = EVERYTHING) -> list[ReferLine]:
    """One row a line that asked for a REFER since then, by name; the sum last when there are several. One query."""
    counts = {fate.value: Count("pk", filter=Q(fate=fate.value)) for fate in Fate}
    rows = (
        scope.calls(TransferAttempt.objects.referred(now), "call__")
        .filter(requested_at__gte=since)
        .order_by("call__line__name")
        .values("call__line__name")
        .annotate(asked=Count("pk"), **counts)
    )
    lines = [_refer_line(row["call__line__name"] or "no line", [row]) for row in rows]
    return [*lines, _refer_line("all lines", rows)] if len(lines) > 1 else lines


def start_of(days: int, now: datetime) -> datetime:
    """The beginning of the period shown."""
    return now - timedelta(days=days)


def _refer_line(name: str, rows: Iterable[Mapping[str, Any]]) -> ReferLine:
    counted = Counter[str]()
    for row in rows:
        counted.update({field: row[field] for field in ("asked", *Fate)})
    return ReferLine(name, counted["asked"], *(counted[fate] for fate in Fate))


def _waits(connected: Iterable[Sequence[object]]) -> dict[str, int]:
    """The median time to a human in milliseconds, by mechanism."""
    waits: defaultdict[str, list[float]] = defaultdict(list)
    for mechanism, asked_at, human_at in connected:
        if isinstance(asked_at, datetime) and isinstance(human_at, datetime):
            waits[str(mechanism)].append((human_at - asked_at).total_seconds() * 1000)
    return {mechanism: round(median(values)) for mechanism, values in waits.items()}
