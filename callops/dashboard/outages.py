"""Calls that never reached the AI, counted in SQL: by stage, by line, by what became of the caller, and over time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncHour, TruncMinute

from callops.alerts.fates import Fate, with_fate
from callops.calls.models import Call, CallQuerySet
from callops.calls.words import FailureStage
from callops.core.ids import first_id
from callops.people.standing import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class Period:
    """How far the page looks back, and how finely it counts."""

    name: str
    words: str
    span: timedelta
    step: timedelta
    step_words: str

    def steps(self, now: datetime) -> list[datetime]:
        """The beginnings of the steps, oldest first: whole ones, so that numbers stay as the clock goes on."""
        origin = datetime(2000, 1, 1, tzinfo=UTC)
        first = now - self.span
        first -= (first - origin) % self.step
        return [first + number * self.step for number in range((now - first) // self.step + 1)]


PERIODS: dict[str, Period] = {
    "1h": Period("1h", "1 hour", timedelta(hours=1), timedelta(minutes=5), "5 minutes"),
    "24h": Period("24h", "24 hours", timedelta(hours=24), timedelta(hours=1), "hour"),
    "7d": Period("7d", "7 days", timedelta(days=7), timedelta(hours=6), "6 hours"),
}
USUAL = "24h"


@dataclass(slots=True)
class StageLine:
    """What is known of one failure stage in the period."""

    stage: str
    all_calls: int
    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    lines: set[str] = field(default_factory=set)
    fates: Counter[str] = field(default_factory=Counter)
    bars: list[int] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """Their share of all calls."""
        return 100 * self.count / self.all_calls if self.all_calls else 0.0

    @property
    def label(self) -> str:
        return str(FailureStage(self.stage).label)

    @property
    def names(self) -> str:
        """The lines it happened on."""
        return ", ".join(sorted(self.lines))

    @property
    def rescued(self) -> int:
        return self.fates[Fate.RESCUED]

    @property
    def lost(self) -> int:
        return self.fates[Fate.LOST]

    @property
    def under_way(self) -> int:
        return self.fates[Fate.UNDER_WAY]


@dataclass(frozen=True, slots=True)
class Outage:
    """The failures of a period: all calls that began in it, a line for each stage that occurred, most calls first."""

    since: datetime
    calls: int
    lines: Sequence[StageLine]
    steps: Sequence[datetime]

    @property
    def failed(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def most(self) -> int:
        """The highest bar of all."""
        return max((bar for line in self.lines for bar in line.bars), default=0)

    def rows(self) -> list[tuple[datetime, datetime | None, list[tuple[StageLine, int]]]]:
        """The table twin: each step in which a call failed, newest first, its end, and its count for each stage."""
        ends: list[datetime | None] = [*self.steps[1:], None]
        return [
            (step, ends[place], [(line, line.bars[place]) for line in self.lines])
            for place, step in reversed(list(enumerate(self.steps)))
            if any(line.bars[place] for line in self.lines)
        ]


def read(period: Period, now: datetime, scope: Scope = EVERYTHING) -> Outage:
    """The failures of the calls that began in the period. Three queries, however many calls."""
    steps = period.steps(now)
    began = scope.calls(Call.objects.filter(pk__gte=first_id(steps[0]))).order_by()
    failed = began.exclude(failure_stage="")
    calls = began.count()
    lines = _lines(with_fate(failed), calls)
    for stage, bars in _bars(failed, period, steps).items():
        lines[stage].bars = bars
    return Outage(steps[0], calls, sorted(lines.values(), key=lambda line: -line.count), steps)


def _lines(failed: QuerySet[Any], all_calls: int) -> Mapping[str, StageLine]:
    rows = failed.values("failure_stage", "fate", "line__name").annotate(
        count=Count("pk"), first_at=Min("started_at"), last_at=Max("started_at")
    )
    lines: dict[str, StageLine] = {}
    for row in rows:
        line = lines.setdefault(row["failure_stage"], StageLine(row["failure_stage"], all_calls))
        line.count += row["count"]
        line.fates[row["fate"]] += row["count"]
        line.lines.add(row["line__name"] or "no line")
        line.first_at = min(filter(None, (line.first_at, row["first_at"])))
        line.last_at = max(filter(None, (line.last_at, row["last_at"])))
    return lines


def _bars(failed: CallQuerySet, period: Period, steps: Sequence[datetime]) -> Mapping[str, list[int]]:
    """How many calls failed at each stage in each step."""
    rough = TruncHour if period.step >= timedelta(hours=1) else TruncMinute
    rows: Iterable[Any] = failed.values_list("failure_stage", rough("started_at", tzinfo=UTC)).annotate(Count("pk"))
    bars: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    for stage, at, count in rows:
        place = (at - steps[0]) // period.step
        bars[stage][min(max(place, 0), len(steps) - 1)] += count
    return bars
