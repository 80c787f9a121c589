"""How far a provider's clock may be from ours, as a bound: what its messages prove, and not an estimate. Pure.

A provider writes whole seconds. What it dated had happened by the time we received it, and an answer was dated after we
asked. Each message narrows the bound a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from callops.calls.kinds import Kind
from callops.reports.exchanges import exchanges, http_date, provider_moment
from callops.reports.record import CallRecord, Happening

NAMES = {"openai": "OpenAI", "carrier": "Twilio"}
TO = {"openai": "openai", "carrier": "twilio"}
GRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Skew:
    """Seconds by which the provider's clock is ahead of ours: at least `low`, less than `high`; None: no bound."""

    provider: str
    low: float | None
    high: float | None
    messages: int

    @property
    def sentence(self) -> str:
        """The bound in words."""
        name = NAMES[self.provider]
        if self.low is None:
            return f"{name} dated no message of this call, so nothing is known of its clock."
        if self.high is None:
            return f"{name}'s clock is {_side(self.low)} ours, or further ahead: only one side is bounded."
        if self.low > self.high:
            return f"{name}'s clock or ours was set during this call: its messages contradict each other."
        return f"{name}'s clock is between {_side(self.low)} and {_side(self.high)} ours."


def skews(record: CallRecord) -> list[Skew]:
    """The bound for each provider."""
    return [skew_of(record, provider) for provider in NAMES]


def skew_of(record: CallRecord, provider: str) -> Skew:
    """The bound for one provider: a lane of the timeline, `openai` or `carrier`."""
    lows, highs = [], []
    for at, received, begun in [*_deliveries(record, provider), *_answers(record, provider)]:
        lows.append((at - received).total_seconds())
        if begun is not None:
            highs.append((at - begun).total_seconds() + GRAIN_S)
    return Skew(provider, max(lows, default=None), min(highs, default=None), len(lows))


Dated = tuple[datetime, datetime, datetime | None]
"""The provider's time, when we received it, and a moment of ours before which it cannot have been written."""


def _deliveries(record: CallRecord, provider: str) -> Iterator[Dated]:
    dialled = _first_dial(record.happened)
    for row in record.happened:
        at = provider_moment(row) if row.lane == provider and _is_delivery(row) else None
        if at is not None:
            yield at, row.at, dialled if dialled is not None and dialled < row.at else None


def _answers(record: CallRecord, provider: str) -> Iterator[Dated]:
    for each in exchanges(record):
        at = http_date(each.headers.get("date")) if each.to == TO[provider] else None
        if at is not None and each.answered_at is not None:
            yield at, each.answered_at, each.asked_at


def _is_delivery(row: Happening) -> bool:
    return row.kind == Kind.OPENAI_WEBHOOK or "params" in row.body


def _first_dial(happened: Iterable[Happening]) -> datetime | None:
    return next((row.at for row in happened if row.kind == Kind.US_DIALLED_AI), None)


def _side(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'ahead of' if seconds >= 0 else 'behind'}"
