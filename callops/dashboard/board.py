"""The live board: who needs somebody, and who is talking. A fixed number of queries, however many calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from callops.calls.models import Call
from callops.core.models import Counter
from callops.dashboard.phrases import need
from callops.people.standing import EVERYTHING, Scope
from callops.sideband import glance
from callops.sideband.batches import BEHIND
from callops.sideband.glance import WELL, Standing
from callops.sideband.models import Speaker, Turn
from callops.transfers.models import TransferAttempt

NEEDS = "needs"
LIVE = "live"
BEHIND_SHOWN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One call on the board: its last transfer, its last words, and why somebody should look (or nothing)."""

    call: Call
    attempt: TransferAttempt | None
    turn: Turn | None
    why: str
    standing: Standing = WELL
    stamp: tuple[object, ...] = ()
    """What the call looks like from afar: when this changed, the row may have."""

    @property
    def section(self) -> str:
        """The list the row stands in."""
        return NEEDS if self.why else LIVE

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
    """The board's rows, newest call first; `only` of these calls when given. Four queries."""
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
    kept = glance.glances(only)
    return [
        _row(call, attempts.get(call.pk), turns.get(call.pk), glance.standing(kept.get(call.pk), now), now)
        for call in calls
    ]


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
    """The stamps of all calls on the board. Two queries, however many browsers watch."""
    fields = ("last_seq", "turn_rev", "state", "ai_session", "failure_stage", "webhook_due_at")
    calls, kept = scope.calls(Call.objects.on_board(now=now)).order_by().only(*fields), glance.glances()
    return {call.pk: _stamp(call, glance.standing(kept.get(call.pk), now), now) for call in calls}


def _stamp(call: Call, standing: Standing, now: datetime) -> tuple[object, ...]:
    overdue = call.webhook_due_at is not None and call.webhook_due_at < now
    return (call.last_seq, call.turn_rev, call.state, call.ai_session, call.failure_stage, overdue, standing)


def _row(call: Call, attempt: TransferAttempt | None, turn: Turn | None, standing: Standing, now: datetime) -> Row:
    why = need(call, attempt, now, standing)
    return Row(call=call, attempt=attempt, turn=turn, why=why, standing=standing, stamp=_stamp(call, standing, now))


def _last(calls: QuerySet[Call], rows: QuerySet[Any]) -> QuerySet[Any]:
    """The key of the first of these rows for each call."""
    return calls.order_by().annotate(last=Subquery(rows.values("pk")[:1])).values("last")
