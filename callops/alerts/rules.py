"""When failing calls are an incident, and when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
QUIET = timedelta(minutes=30)
"""Without any call for so long nothing is expected and nothing is known to fail."""
MIN_FAILED = 3
ONE_IN = 5
"""At least one call in so many must have failed."""

WINDOW_WORDS = "10 minutes"
QUIET_WORDS = "30 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The calls that began within the last `WINDOW`, as far as one failure stage goes."""

    failed: int
    calls: int
    went_through: bool
    """At least one of them reached the AI."""
    last_call_at: datetime | None
    """When the newest call of all began; None: there was none ever."""


def opens(stretch: Stretch) -> str:
    """Why these failures are an incident; empty when they are not."""
    if stretch.failed < MIN_FAILED or stretch.failed * ONE_IN < stretch.calls:
        return ""
    return f"{stretch.failed} of the {stretch.calls} calls that began within {WINDOW_WORDS} failed at this stage."


def closes(stretch: Stretch, now: datetime) -> str:
    """Why an open incident is over; empty while it goes on."""
    if stretch.failed:
        return ""
    if stretch.went_through:
        return f"No call failed at this stage for {WINDOW_WORDS}, and calls reach the AI again."
    if stretch.last_call_at is None or now - stretch.last_call_at >= QUIET:
        return f"There was no call for {QUIET_WORDS}."
    return ""
