"""The live board: who needs somebody, and who is talking. A fixed number of queries, however many calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery

from callops.calls.models import Call
from callops.core.models import Counter
from callops.dashboard.needs import Need, need
from callops.dashboard.sifting import ALL, Sift
from callops.people.standing import EVERYTHING, Scope
from callops.sideband import glance
from callops.sideband.batches import BEHIND
from callops.sideband.glance import WELL, Standing
from callops.sideband.models import Speaker, Turn
from callops.supervision import presence
from callops.transfers.models import Approval, TransferAttempt

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
    """The board's rows, newest call first; `only` of these calls when given. Seven queries."""
    wanted = scope.calls(Call.objects.on_board(now=now))
    if only is not None:
        wanted = wanted.filter(pk__in=only)
    unheard = [Speaker.TOOL, Speaker.OPERATOR]
    spoken = Turn.objects.filter(call=OuterRef("pk")).exclude(speaker__in=unheard).exclude(text="")
    moved = TransferAttempt.objects.filter(call=OuterRef("pk"))
    calls = list(wanted.newest_first().select_related("line"))
    last_turns = _last(wanted, spoken.order_by("-position", "-pk"))
    last_moves = _last(wanted, moved.order_by("-pk"))
    turns = {turn.call_id: turn for turn in Turn.objects.filter(pk__in=last_turns)}
    attempts = {attempt.call_id: attempt for attempt in TransferAttempt.objects.filter(pk__in=last_moves)}
    kept, looking = glance.glances(only), presence.looking(only, now) if calls else {}
    undecided = Approval.objects.filter(call__in=wanted.order_by(), decided_at=None).order_by("pk")
    waiting = {each.call_id: each for each in undecided if each.is_open(now)}
    tools = _tools(wanted)
    rows = []
    for call in calls:
        standing = glance.standing(kept.get(call.pk), now)
        attempt, who = attempts.get(call.pk), looking.get(call.pk, ())
        rows.append(
            Row(
                call=call,
                attempt=attempt,
                turn=turns.get(call.pk),
                need=need(call, attempt, now, standing, waiting.get(call.pk)),
                standing=standing,
                tools=tools.get(call.pk, ()),
                looking=who,
                stamp=_stamp(call, standing, who, now),
            )
        )
    return rows


def sections(board: Sequence[Row], sift: Sift = ALL) -> tuple[list[Row], list[Row]]:
    """Who needs somebody, the most urgent first, and the other rows that the address asks for."""
    urgent = sorted((row for row in board if row.need), key=lambda row: row.place.rank)
    return urgent, [row for row in board if not row.need and sift.lets(row.call)]


def counted(now: datetime) -> tuple[int, bool]:
    """How many requests were ever refused at our doors, and whether an engine's writer was behind within the last
    `BEHIND_SHOWN`. One query.
    """
    rows = Counter.objects.filter(Q(name__startswith="refused.") | Q(name=BEHIND)).values_list(
        "name", "count", "last_at"
    )
    known = list(rows)
    refused = sum(count for name, count, _ in known if name != BEHIND)
    return refused, any(name == BEHIND and at >= now - BEHIND_SHOWN for name, _, at in known)


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
    """The stamps of all calls on the board. Three queries, however many browsers watch."""
    fields = ("last_seq", "turn_rev", "state", "ai_session", "failure_stage", "webhook_due_at")
    calls = list(scope.calls(Call.objects.on_board(now=now)).order_by().only(*fields))
    kept, looking = glance.glances(), presence.looking(None, now) if calls else {}
    return {
        call.pk: _stamp(call, glance.standing(kept.get(call.pk), now), looking.get(call.pk, ()), now) for call in calls
    }


def _stamp(call: Call, standing: Standing, looking: tuple[str, ...], now: datetime) -> tuple[object, ...]:
    overdue = call.webhook_due_at is not None and call.webhook_due_at < now
    seen = (call.last_seq, call.turn_rev, call.state, call.ai_session, call.failure_stage)
    return (*seen, overdue, standing, looking)


def _tools(calls: QuerySet[Call]) -> dict[str, tuple[str, ...]]:
    """The names of the tools used on each of these calls, in the order of their first use."""
    used = Turn.objects.filter(call__in=calls.order_by(), speaker=Speaker.TOOL).order_by("position", "pk")
    found: dict[str, dict[str, None]] = {}
    for call_id, name in used.values_list("call_id", "detail__name"):
        if name:
            found.setdefault(call_id, {})[str(name)] = None
    return {call_id: tuple(names) for call_id, names in found.items()}


def _last(calls: QuerySet[Call], rows: QuerySet[Any]) -> QuerySet[Any]:
    """The key of the first of these rows for each call."""
    return calls.order_by().annotate(last=Subquery(rows.values("pk")[:1])).values("last")
