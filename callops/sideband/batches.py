"""What was read on sidebands, made durable: the batches of many calls in one transaction, each under its own lease.

A batch whose lease was lost is left out and the others are kept. The number of statements does not grow with the
number of calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from callops.calls import timeline
from callops.calls.models import Call
from callops.calls.timeline import NewEvent
from callops.core import bulk
from callops.core.notify import calls_changed
from callops.core.text import storable
from callops.sideband.models import AiSession, FrameBatch, Turn
from callops.sideband.packing import packed
from callops.sideband.signs import Signs
from callops.sideband.turns import TurnState

TURN: Final = (
    "call",
    "item_id",
    "position",
    "speaker",
    "text",
    "heard_chars",
    "final",
    "partial",
    "detail",
    "started_at",
    "rev",
)
SIGNS: Final = tuple(each.name for each in fields(Signs))
BEHIND: Final = "sideband.behind"
"""Counted whenever batches were kept late, because the database was slow or away; the board shows a light then."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Frames read since the last batch, and what they changed. `frames` are (unix ms, JSON text), in order."""

    session_id: int
    call_id: str
    first: int
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    turns: dict[str, tuple[int, TurnState]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    events: list[NewEvent] = field(default_factory=list)
    garbage: int = 0
    incomplete: bool = False
    signs: Signs | None = None
    """None: they are as the session's last batch said; so is `usage`."""
    usage: dict[str, Any] | None = None
    unsaid: dict[str, TurnState] = field(default_factory=dict)
    """Turns on the timeline that must not show there any more what they showed."""

    @property
    def is_empty(self) -> bool:
        return not (self.frames or self.turns or self.removed or self.events)


def save(batches: Collection[Batch], *, owner: str, now: datetime) -> set[int]:
    """The batches are durable and readers are notified on commit; the sessions whose lease was lost, of which nothing
    was written. At most one batch for each session.
    """
    packs = {batch.session_id: packed(batch.frames) for batch in batches}  # before others wait for our transaction
    with transaction.atomic():
        counts = _held(batches, owner)
        kept = [one for one in batches if one.session_id in counts and not _is_known(one, *counts[one.session_id])]
        _count(kept, counts)
        _save_frames([batch for batch in kept if batch.frames], packs, now)
        _save_turns([batch for batch in kept if batch.turns or batch.removed])
        timeline.append_all(_facts(kept))
        for batch in kept:
            _unsay(batch)
        if incomplete := [batch.call_id for batch in kept if batch.incomplete]:
            Call.objects.filter(pk__in=incomplete).update(incomplete=True)
        calls_changed({batch.call_id for batch in kept}, by_talk=True)
    return {batch.session_id for batch in batches} - counts.keys()


def _held(batches: Collection[Batch], owner: str) -> dict[int, tuple[int, int]]:
    """The sessions that are ours, locked until the end: how many frames, and how much garbage, each has so far."""
    ids = [batch.session_id for batch in batches]
    mine = bulk.locked(AiSession, ["pk", "frames", "garbage"], ids, only={"lease_owner": owner})
    return {pk: (frames, garbage) for pk, frames, garbage in mine}


def _is_known(batch: Batch, frames: int, garbage: int) -> bool:
    """Whether the batch was kept before: the connection broke after the commit, so its keeper tries again."""
    return bool(batch.frames) and frames >= batch.first + len(batch.frames)


def _count(batches: Sequence[Batch], before: Mapping[int, tuple[int, int]]) -> None:
    """How much came on each session, and what it tells of life on it where that is not as it was: seldom."""
    as_it_was, new = [], []
    for batch in batches:
        frames, garbage = before[batch.session_id]
        totals = (batch.session_id, frames + len(batch.frames), garbage + batch.garbage)
        if batch.signs is None:
            as_it_was.append(totals)
        else:
            new.append((*totals, batch.usage or {}, *_values(batch.signs)))
    bulk.update(AiSession, ["frames", "garbage"], as_it_was)
    bulk.update(AiSession, ["frames", "garbage", "usage", *SIGNS], new)


def _values(signs: Signs) -> Iterable[Any]:
    """The values of `SIGNS`."""
    return (storable(getattr(signs, name)) for name in SIGNS)


def _save_frames(batches: Sequence[Batch], packs: Mapping[int, bytes], now: datetime) -> None:
    rows = ((one.session_id, one.first, len(one.frames), now, packs[one.session_id]) for one in batches)
    bulk.insert(FrameBatch, ["session", "first", "count", "received_at", "packed"], rows)


def _save_turns(batches: Sequence[Batch]) -> None:
    """The turns are as the batches say, under the next revision of their calls."""
    if not batches:
        return
    revs = bulk.raise_all(Call, "turn_rev", {batch.call_id: 1 for batch in batches})
    for batch in batches:
        if batch.removed:
            Turn.objects.filter(call_id=batch.call_id, item_id__in=storable(list(batch.removed))).delete()
    rows = (
        _row(batch.call_id, position, turn, revs[batch.call_id])
        for batch in batches
        for position, turn in batch.turns.values()
    )
    bulk.upsert(Turn, TURN, rows, key=["call", "item_id"])


def _unsay(batch: Batch) -> None:
    """The facts about these turns say what the turns say now."""
    if batch.unsaid:
        since = min(turn.started_at for turn in batch.unsaid.values())
        words = {item_id: turn.detail.get("dtmf", turn.text) for item_id, turn in batch.unsaid.items()}
        timeline.unsay(batch.call_id, words, since=since)


def _facts(batches: Sequence[Batch]) -> dict[str, list[NewEvent]]:
    """The new events of each call."""
    facts: dict[str, list[NewEvent]] = {}
    for batch in batches:
        if batch.events:
            facts.setdefault(batch.call_id, []).extend(batch.events)
    return facts


def _row(call_id: str, position: int, turn: TurnState, rev: int) -> tuple[Any, ...]:
    """The values of `TURN`."""
    return (
        call_id,
        storable(turn.item_id),
        position,
        turn.speaker,
        storable(turn.text),
        turn.heard_chars,
        turn.final,
        turn.partial,
        storable(turn.detail),
        turn.started_at,
        rev,
    )
