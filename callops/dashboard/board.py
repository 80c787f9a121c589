"""The live board: who needs somebody, and who is talking. A fixed number of queries, however many calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q

from callops.calls.models import Call
from callops.core.models import Counter
from callops.core.prepared import Prepared
from callops.dashboard import board_reading
from callops.dashboard.needs import Need, need
from callops.dashboard.sifting import ALL, Sift
from callops.people.standing import EVERYTHING, Scope
from callops.sideband.batches import BEHIND
from callops.sideband.glance import WELL, Standing
from callops.sideband.models import Turn
from callops.transfers.models import TransferAttempt

NEEDS = "needs"
LIVE = "live"
BEHIND_SHOWN = timedelta(minutes=1)


class Place(NamedTuple):
    """A row's place in its list."""

    rank: int
    pk: str

    def comes_before(self, other: Place) -> bool:
        """Whether this row stands above the other one."""
        return self.rank < other.rank if self.rank != other.rank else self.pk > other.pk


@dataclass(frozen=True, slots=True)
class Row:
    """One call on the board: its last transfer, its last words, and why somebody should look (or nothing)."""

    call: Call
    attempt: TransferAttempt | None
    turn: Turn | None
    need: Need | None
    standing: Standing = WELL
    tools: tuple[str, ...] = ()
    """What the assistant used, each once."""
    looking: tuple[str, ...] = ()
    """Who has the call's page open."""
    stamp: tuple[object, ...] = ()
    """What the call looks like from afar: when this changed, the row may have."""

    @property
    def section(self) -> str:
        """The list the row stands in."""
        return NEEDS if self.need else LIVE

    @property
    def why(self) -> str:
        """Why somebody should look; empty when nobody need."""
        return self.need.why if self.need else ""

    @property
    def place(self) -> Place:
        """Where it stands in its list: the most urgent first, then the newest."""
        return Place(self.need.rank if self.need else 0, self.id)

    @property
    def id(self) -> str:
        return self.call.pk


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of the status strip."""

    live: int
    needs: int
    refused: int
    behind: bool = False
    """Whether what is said was lately stored late: the database is slow, or was away."""


def rows(now: datetime, scope: Scope = EVERYTHING, only: Collection[str] | None = None) -> list[Row]:
    """The board's rows, newest call first; `only` of these calls when given. At most five queries."""
    return [
        Row(
            call=each.call,
            attempt=each.attempt,
            turn=each.turn,
            need=need(each.call, each.attempt, now, each.standing, each.wish),
            standing=each.standing,
            tools=each.tools,
            looking=each.looking,
            stamp=_stamp_of(each.call, each.standing, each.looking, now),
        )
        for each in board_reading.found(now, scope, only)
    ]


def sections(board: Sequence[Row], sift: Sift = ALL) -> tuple[list[Row], list[Row]]:
    """Who needs somebody, the most urgent first, and the other rows that the address asks for."""
    urgent = sorted((row for row in board if row.need), key=lambda row: row.place.rank)
    return urgent, [row for row in board if not row.need and sift.lets(row.call)]


def counted(now: datetime) -> tuple[int, bool]:
    """How many requests were ever refused at our doors, and whether an engine's writer was behind within the last
    `BEHIND_SHOWN`. One query.
    """
    known = _COUNTERS()
    refused = sum(count for name, count, _ in known if name != BEHIND)
    return refused, any(name == BEHIND and at >= now - BEHIND_SHOWN for name, _, at in known)


_COUNTERS = Prepared(
    lambda: (
        Counter.objects.filter(Q(name__startswith="refused.") | Q(name=BEHIND))
        .order_by()
        .values_list("name", "count", "last_at")
    )
)


def counts(board: Collection[Row], now: datetime) -> Counts:
    """The strip's numbers for these rows."""
    refused, behind = counted(now)
    return Counts(
        live=sum(not row.call.is_over for row in board),
        needs=sum(row.section == NEEDS for row in board),
        refused=refused,
        behind=behind,
    )


def stamps(now: datetime, scope: Scope = EVERYTHING) -> dict[str, tuple[object, ...]]:
    """The stamps of all calls on the board. One query, however many browsers watch."""
    stamped = board_reading.stamped(now, scope)
    return {pk: _stamp(*each.columns[1:], each.standing, each.looking, now) for pk, each in stamped.items()}


def _stamp_of(call: Call, standing: Standing, looking: tuple[str, ...], now: datetime) -> tuple[object, ...]:
    return _stamp(*(getattr(call, name) for name in board_reading.STAMP[1:]), standing, looking, now)


def _stamp(*seen: Any) -> tuple[object, ...]:
    *columns, due_at, standing, looking, now = seen
    return (*columns, due_at is not None and due_at < now, standing, looking)
