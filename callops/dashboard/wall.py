"""What a screen on the wall shows of the house: counts, and nothing of any caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callops.calls.words import State
from callops.dashboard import board
from callops.dashboard.board import Row
from callops.dashboard.needs import Rank
from callops.dashboard.sifting import STAGES
from callops.people.standing import Scope

RANKS = {
    Rank.ALONE: "alone",
    Rank.AT_RISK: "at risk",
    Rank.WAITING: "waiting for a decision",
}


@dataclass(frozen=True, slots=True)
class LineCount:
    """One line: its live calls, and how many of them need somebody."""

    name: str
    live: int
    needs: int


@dataclass(frozen=True, slots=True)
class Wall:
    """The counts of one moment."""

    stages: Sequence[tuple[State, int]]
    needs: Sequence[tuple[str, int]]
    lines: Sequence[LineCount]
    oldest: datetime | None
    """When the longest call that needs somebody began."""

    @property
    def live(self) -> int:
        return sum(count for _, count in self.stages)

    @property
    def needing(self) -> int:
        return sum(count for _, count in self.needs)


def read(now: datetime, scope: Scope) -> Wall:
    """The wall of this moment."""
    return counted(board.rows(now, scope))


def counted(rows: Sequence[Row]) -> Wall:
    """The counts of these rows."""
    going = [row for row in rows if not row.call.is_over]
    stages = Counter(State(row.call.state) for row in going)
    ranks = Counter(row.need.rank for row in going if row.need)
    lines = {(row.call.line_name or "no line", row.call.line_id or 0) for row in going}
    return Wall(
        stages=[(state, stages[state]) for state in STAGES],
        needs=[(words, ranks[rank]) for rank, words in RANKS.items() if ranks[rank]],
        lines=[_line(name, [row for row in going if (row.call.line_id or 0) == pk]) for name, pk in sorted(lines)],
        oldest=min((row.call.started_at for row in going if row.need), default=None),
    )


def _line(name: str, rows: Sequence[Row]) -> LineCount:
    return LineCount(name, len(rows), sum(row.need is not None for row in rows))
