"""What the board is read from: its calls with all that is known of each, in few queries whose SQL is made once.

Of calls, lines and turns only the columns that a row needs are read; another one would be fetched when it is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, OuterRef, QuerySet, Subquery

from callops.calls.models import Call, Line
from callops.core.prepared import Asked, Prepared, among
from callops.dashboard import afar
from callops.dashboard.afar import Afar
from callops.people.standing import Scope
from callops.sideband.glance import Standing
from callops.sideband.models import Speaker, Turn
from callops.transfers.models import Approval, TransferAttempt

M = TypeVar("M", bound=Model)

LINGER_S = 30.0
"""So long a call that ended stays on the board."""

_SHOWN = frozenset({
    "id", "line_id", "from_number", "to_number", "topology", "carrier_sid", "ai_call_id", "state", "ai_session",
    "started_at", "ai_dialled_at", "ended_at", "ended_by", "failure_stage", "ai_left_at", "webhook_due_at", "last_seq",
    "turn_rev",
})  # fmt: skip
CALL = tuple(field.attname for field in Call._meta.concrete_fields if field.attname in _SHOWN)
"""The columns of a call, in the order in which Django knows them."""
_NAMED, _SPOKEN = frozenset({"id", "name"}), frozenset({"id", "call_id", "speaker", "text"})
LAST = ("last_turn", "last_move", "last_wish")
STAMP = ("pk", "last_seq", "turn_rev", "state", "ai_session", "failure_stage", "webhook_due_at")


@dataclass(frozen=True, slots=True)
class Found:
    """One call and what belongs to it."""

    call: Call
    standing: Standing
    looking: tuple[str, ...]
    turn: Turn | None
    """What caller or assistant said last."""
    attempt: TransferAttempt | None
    """The last transfer."""
    wish: Approval | None
    """The newest wish nobody has decided, perhaps too old by now."""
    tools: tuple[str, ...]
    """What the assistant used, each once, in the order of their first use."""


def found(now: datetime, scope: Scope, only: Collection[str] | None) -> list[Found]:
    """The calls on the board, the newest first; `only` of these when given. Three queries, and one more for each kind
    of last transfers and wishes of which there are any.
    """
    asked = {} if only is None else {"ids": only}
    calls = list(afar.each(_calls(scope, some=only is not None)(**asked, **_moments(now)), now).values())
    turns, moves, wishes = ([each.columns[len(CALL) + 1 + place] for each in calls] for place in range(len(LAST)))
    said = {row[0]: _row(Turn, _SPOKEN, row) for row in _SAID(ids=[pk for pk in turns if pk is not None])}
    attempts, undecided = _by_key(TransferAttempt, moves), _by_key(Approval, wishes)
    tools, lines = _tools([each.columns[0] for each in calls]), dict[int, Line]()
    return [
        Found(
            call=_call(each, lines),
            standing=each.standing,
            looking=each.looking,
            turn=said.get(turn),
            attempt=attempts.get(move),
            wish=undecided.get(wish),
            tools=tools.get(each.columns[0], ()),
        )
        for each, turn, move, wish in zip(calls, turns, moves, wishes, strict=True)
    ]


def stamped(now: datetime, scope: Scope) -> dict[str, Afar]:
    """The calls on the board by key, with the columns `STAMP`. One query."""
    return afar.each(_stamps(scope)(**_moments(now)), now)


def _moments(now: datetime) -> dict[str, datetime]:
    return {"lingering": now - timedelta(seconds=LINGER_S), **afar.since(now)}


@lru_cache(maxsize=64)
def _calls(scope: Scope, *, some: bool) -> Prepared:
    """The calls on the board of this scope with what is last of each; `some`: of those that are asked for."""
    unheard = [Speaker.TOOL, Speaker.OPERATOR]
    spoken = Turn.objects.filter(call=OuterRef("pk")).exclude(speaker__in=unheard).exclude(text="")
    moved = TransferAttempt.objects.filter(call=OuterRef("pk"))
    wished = Approval.objects.filter(call=OuterRef("pk"), decided_at=None)

    def write() -> QuerySet[Any, Any]:
        calls = scope.calls(Call.objects.on_board(Asked("lingering")))
        some_calls = calls.filter(among("pk", Asked("ids"))) if some else calls
        with_last = some_calls.newest_first().annotate(
            last_turn=_first(spoken.order_by("-position", "-pk")),
            last_move=_first(moved.order_by("-pk")),
            last_wish=_first(wished.order_by("-pk")),
        )
        return afar.columns(with_last, *CALL, "line__name", *LAST)

    return Prepared(write)


@lru_cache(maxsize=64)
def _stamps(scope: Scope) -> Prepared:
    return Prepared(lambda: afar.columns(scope.calls(Call.objects.on_board(Asked("lingering"))), *STAMP))


_SAID = Prepared(
    lambda: Turn.objects.filter(among("pk", Asked("ids"))).order_by().values_list("pk", "call_id", "speaker", "text")
)
_USED = Prepared(
    lambda: (
        Turn.objects.filter(among("call_id", Asked("ids")), speaker=Speaker.TOOL)
        .order_by("position", "pk")
        .values_list("call_id", "detail__name")
    )
)


def _tools(call_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    used: dict[str, dict[str, None]] = {}
    for call_id, name in _USED(ids=call_ids):
        if name:
            used.setdefault(call_id, {})[str(name)] = None
    return {call_id: tuple(names) for call_id, names in used.items()}


def _by_key(model: type[M], keys: Iterable[Any]) -> dict[Any, M]:
    known = [pk for pk in keys if pk is not None]
    return model._default_manager.in_bulk(known) if known else {}


def _call(seen: Afar, lines: dict[int, Line]) -> Call:
    """The call and its line, which it shares with the other calls of this line."""
    call = _row(Call, _SHOWN, seen.columns[: len(CALL)])
    pk = call.line_id
    if pk is not None and pk not in lines:
        lines[pk] = _row(Line, _NAMED, (pk, seen.columns[len(CALL)]))
    _LINE.set_cached_value(call, None if pk is None else lines[pk])
    return call


def _row(model: type[M], names: Collection[str], values: Sequence[Any]) -> M:
    """What the database told of a row, in the order of the model's fields."""
    return model.from_db(DEFAULT_DB_ALIAS, names, values)


def _first(rows: QuerySet[Any]) -> Subquery:
    """The key of the first of these rows."""
    return Subquery(rows.values("pk")[:1])


_LINE: Any = Call._meta.get_field("line")
