"""The timeline: facts appended in order, read after a cursor. Nobody else numbers events or notifies of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane
from callops.core import bulk, few_rows
from callops.core.notify import call_changed, calls_changed
from callops.core.text import storable

IDENTITY_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A fact that has no number yet."""

    at: datetime
    kind: Kind
    lane: Lane
    body: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    source_id: str | None = None


COLUMNS = ("call", "seq", "at", "lane", "kind", "body", "source", "source_id")


def write(call: Call, facts: Sequence[NewEvent]) -> list[Event | None]:
    """The facts are on the timeline in this order, and readers are notified on commit; None in the place of one whose
    `source_id` was written before (a repetition of the provider).

    For a transaction that has locked the call, whose `last_seq` counts them afterwards and is still to be stored.
    """
    events = [
        Event(
            call_id=call.pk,
            seq=seq,
            at=fact.at,
            kind=fact.kind,
            lane=fact.lane,
            body=storable(dict(fact.body)),
            source=fact.source,
            source_id=_identity(fact.source_id),
        )
        for seq, fact in enumerate(facts, start=call.last_seq + 1)
    ]
    keys = _inserted(events)
    for event in events:
        event.pk = keys.get(event.seq)
    written = [event for event in events if event.pk]
    if written:
        _close_gaps(written, after=call.last_seq)
        call.last_seq += len(written)
        call_changed(call.pk)
    return [event if event.pk else None for event in events]


@transaction.atomic(savepoint=False)
def append_many(call_id: str, events: Iterable[NewEvent]) -> list[Event]:
    """The facts are on the call's timeline in this order, and readers are notified on commit."""
    wanted = list(events)
    if not wanted:
        return []
    last = _take_numbers(call_id, len(wanted))
    rows = [
        Event(call_id=call_id, seq=last + index, at=new.at, kind=new.kind, lane=new.lane, body=storable(dict(new.body)))
        for index, new in enumerate(wanted, start=1)
    ]
    keys = _inserted(rows)
    for row in rows:
        row.pk = keys[row.seq]
    call_changed(call_id)
    return rows


@transaction.atomic
def append_all(facts: Mapping[str, Sequence[NewEvent]]) -> None:
    """The facts of each of these calls are on its timeline in this order; whoever hears of talk is notified on commit.

    They are what a sideband heard, of which nothing follows but what its own process does.
    """
    if not facts:
        return
    last = bulk.raise_all(Call, "last_seq", {pk: len(events) for pk, events in facts.items()})
    rows = (
        (pk, seq, new.at, new.lane.value, new.kind.value, storable(dict(new.body)), "", None)
        for pk, seq_after in last.items()
        for seq, new in enumerate(facts[pk], start=seq_after - len(facts[pk]) + 1)
    )
    bulk.insert(Event, COLUMNS, rows)
    calls_changed(last, by_talk=True)


def append(
    call: Call,
    *,
    at: datetime,
    kind: Kind,
    lane: Lane,
    body: Mapping[str, Any] | None = None,
    source: str = "",
    source_id: str | None = None,
) -> Event | None:
    """The fact is on the timeline once; None when `source_id` was written before (a repetition of the provider)."""
    try:
        with transaction.atomic():
            number = _take_numbers(call.pk, 1) + 1
            event = Event.objects.create(
                call_id=call.pk,
                seq=number,
                at=at,
                kind=kind,
                lane=lane,
                body=storable(dict(body or {})),
                source=source,
                source_id=_identity(source_id),
            )
    except IntegrityError:
        if source_id is None:
            raise
        return None
    call_changed(call.pk)
    return event


def note(call: Call, *, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any] | None = None) -> Event:
    """A fact of our own, which nobody repeats, is on the timeline."""
    return append_many(call.pk, [NewEvent(at=at, kind=kind, lane=lane, body=body or {})])[0]


def log(
    *, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any], source: str, source_id: str | None
) -> Event | None:
    """A fact that belongs to no call is kept all the same; None when it was kept before."""
    fact = {"at": at, "kind": kind, "lane": lane, "body": storable(dict(body))}
    if source_id is None:
        return Event.objects.create(source=source, **fact)
    event, created = Event.objects.get_or_create(source=source, source_id=_identity(source_id), defaults=fact)
    return event if created else None


@transaction.atomic
def adopt(call_id: str, other_id: str) -> int:
    """All facts of the other call are this one's: after its own, in their order, otherwise as they were. How many.

    The other call's timeline is empty afterwards, and readers of both are notified on commit.
    """
    count = Event.objects.filter(call=other_id).count()
    offset = _take_numbers(call_id, Call.objects.values_list("last_seq", flat=True).get(pk=other_id))
    Event.objects.filter(call=other_id).update(call=call_id, seq=F("seq") + offset)
    call_changed(call_id)
    call_changed(other_id)
    return count


@transaction.atomic
def take_in(call_id: str, logged: Sequence[Event]) -> None:
    """These facts, kept in the log until now, are on the call's timeline in this order, at their own times."""
    last = _take_numbers(call_id, len(logged))
    for seq, event in enumerate(logged, start=last + 1):
        Event.objects.filter(pk=event.pk, call=None).update(call=call_id, seq=seq)
    call_changed(call_id)


@transaction.atomic
def unsay(call_id: str, words: Mapping[str, str], *, since: datetime) -> int:
    """The call's facts about these turns (their item ids) show only `words`; how many were changed.

    The one way in which a fact changes: what was said must not stay readable. That it was said, and when, stays.
    """
    facts = Event.objects.filter(call_id=call_id, kind__in=(Kind.OPENAI_TURN, Kind.OPENAI_DTMF), at__gte=since)
    changed = []
    for fact in facts.select_for_update().order_by("pk"):
        if (item_id := fact.body.get("item_id")) in words:
            place = "key" if fact.kind == Kind.OPENAI_DTMF else "text"
            fact.body = {**fact.body, place: storable(words[item_id])}
            changed.append(fact)
    Event.objects.bulk_update(changed, ["body"])
    return len(changed)


def since(call_id: str, cursor: int, limit: int = 500) -> list[Event]:
    """Events of one call after `cursor`, in order."""
    return list(Event.objects.filter(call_id=call_id, seq__gt=cursor).order_by("seq")[:limit])


def _identity(source_id: str | None) -> str | None:
    """The provider's identity of a fact as the column takes it: a longer one by its beginning and its hash."""
    text = storable(source_id)
    if text is None or len(text) <= IDENTITY_CHARS:
        return text
    return f"{text[: IDENTITY_CHARS - 65]}:{hashlib.sha256(text.encode()).hexdigest()}"


def _inserted(events: Sequence[Event]) -> dict[int, int]:
    """The key of each event that was not written before, by its number."""
    rows = [
        (each.call_id, each.seq, each.at, each.lane, each.kind, each.body, each.source, each.source_id)
        for each in events
    ]
    return dict(few_rows.insert_new(Event, COLUMNS, rows, once=("source", "source_id"), back=("seq", "pk")))


def _close_gaps(events: Sequence[Event], *, after: int) -> None:
    """The numbers follow each other, although one of the facts was a repetition."""
    for seq, event in enumerate(events, start=after + 1):
        if event.seq != seq:
            event.seq = seq
            few_rows.change(Event, event.pk, {"seq": seq})


def _take_numbers(call_id: str, count: int) -> int:
    """Reserve `count` numbers under the call's row lock; the last number before them."""
    last = bulk.raise_by(Call, call_id, "last_seq", count)
    if last is None:
        raise Call.DoesNotExist
    return last - count
