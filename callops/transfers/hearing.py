"""What a caller heard while being moved, from the evidence: spans of time with words. Pure and total.

Each fact that tells of a change begins a new span; between two of them nothing is made up. The AI's leg stays up during
a REFER until the human answers and ends 0.2 s after a redirect (contract Twilio 2.3 and 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from callops.transfers.models import Mechanism
from callops.transfers.verdict import Fact, FactKind, ai_is_up, in_order, is_lost

COMPANY = "the assistant kept the caller company"
BEFORE = "still talking to the person before"
SILENCE = "silence"
UNKNOWN = "not known"
WITH = {"assistant": COMPANY, "human": BEFORE}
"""Who had the caller when the transfer was asked for, as the wish says it."""
OVER = ""


@dataclass(frozen=True, slots=True)
class Span:
    """`words` is what was heard; `end` is None while it goes on."""

    words: str
    start: datetime
    end: datetime | None

    @property
    def duration_ms(self) -> int | None:
        return None if self.end is None else round((self.end - self.start).total_seconds() * 1000)

    def within(self, start: datetime, end: datetime | None) -> Span | None:
        """The part that falls between two moments; None when nothing does."""
        begins = max(self.start, start)
        ends = min(at for at in (self.end, end) if at is not None) if self.end or end else None
        return Span(self.words, begins, ends) if ends is None or begins < ends else None


def heard(facts: Iterable[Fact], *, asked_at: datetime, label: str, settled_at: datetime | None = None) -> list[Span]:
    """What the caller heard from the wish until the transfer was over, in order and without overlaps.

    What came after it settled is not a part of the record, but for a late ring and the talk with the human.
    """
    ordered = in_order(facts)
    changes = [(asked_at, _at_first(ordered))]
    now = changes[0][1]
    for fact in ordered:
        after = _after(fact, now, label)
        if after != now:
            changes.append((max(_since(fact), changes[-1][0]), after))
            now = after
    return _closed(_spans(_blurred(ordered, changes)), settled_at)


def _at_first(ordered: Sequence[Fact]) -> str:
    told = [WITH.get(str(fact.detail.get("with"))) for fact in ordered if fact.kind == FactKind.ASKED]
    return next((words for words in told if words), UNKNOWN)


def _since(fact: Fact) -> datetime:
    """From when on it was so: a redirect whose answer was lost may have taken effect as soon as it was asked for."""
    asked_at = fact.moment("asked_at") if is_lost(fact) else None
    return min(asked_at or fact.at, fact.at)


def _after(fact: Fact, now: str, label: str) -> str:
    """What is heard once this is known; `now` when it changes nothing."""
    name = fact.detail.get("label")
    who = name if isinstance(name, str) and name else label
    if fact.kind == FactKind.HUMAN_CONNECTED:
        return f"talking to {who}"
    if fact.kind == FactKind.HUMAN_RINGING:
        return now if now.startswith("talking") else f"ringing of {who}"
    if fact.kind == FactKind.HUMAN_DIAL_ENDED:
        return SILENCE if fact.detail.get("more") is True and fact.detail.get("bridged") is not True else OVER
    if fact.kind in (FactKind.CALLER_LEFT, FactKind.CANCELLED, FactKind.GAVE_UP):
        return now if now.startswith("talking") else OVER
    return _while_with_ai(fact, now)


def _while_with_ai(fact: Fact, now: str) -> str:
    """Facts about leaving the assistant (or the person before); once it was left they change nothing any more."""
    if fact.kind == FactKind.DOCUMENT_FETCHED and fact.via in (Mechanism.REDIRECT, Mechanism.DIAL_ACTION):
        return SILENCE
    if now == UNKNOWN and ai_is_up(fact):
        return COMPANY
    if now not in WITH.values():
        return now
    if is_lost(fact):
        return UNKNOWN
    asked = fact.kind in (FactKind.REDIRECT_ANSWERED, FactKind.AI_LEG_END_ANSWERED)
    return SILENCE if asked and 200 <= fact.number("status") < 300 else now


def _blurred(ordered: Sequence[Fact], changes: list[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """A talk whose beginning nobody told of makes the time before its end unknown."""
    connected = any(fact.kind == FactKind.HUMAN_CONNECTED for fact in ordered)
    ends = [
        fact.at for fact in ordered if fact.kind == FactKind.HUMAN_DIAL_ENDED and fact.detail.get("bridged") is True
    ]
    if connected or not ends:
        return changes
    last = max((index for index, (at, _) in enumerate(changes) if at < ends[0]), default=None)
    if last is None:
        return changes
    return [*changes[:last], (changes[last][0], UNKNOWN), *changes[last + 1 :]]


def _closed(spans: list[Span], settled_at: datetime | None) -> list[Span]:
    if not spans or settled_at is None:
        return spans
    last = spans[-1]
    goes_on = last.end is not None or last.words.startswith("talking") or last.start >= settled_at
    return spans if goes_on else [*spans[:-1], replace(last, end=settled_at)]


def _spans(changes: Sequence[tuple[datetime, str]]) -> list[Span]:
    ends: list[datetime | None] = [*(at for at, _ in changes[1:]), None]
    spans = [Span(words, at, end) for (at, words), end in zip(changes, ends, strict=True)]
    return [span for span in spans if span.words != OVER and (span.end is None or span.start < span.end)]
