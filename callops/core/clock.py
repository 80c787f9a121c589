"""The only place that asks what time it is; judgements are given the time.

A process that was told the database's time goes on counting from there by a clock that cannot be set, so that setting
this machine's clock makes no deadline early or late. Until then, and on SQLite, it is this machine's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_given: ContextVar[datetime | None] = ContextVar("given_time", default=None)
_followed: tuple[datetime, float] | None = None


def now() -> datetime:
    """This moment, aware, UTC; inside `standing_at` the time that was given."""
    given = _given.get()
    if given is not None:
        return given
    if _followed is None:
        return datetime.now(UTC)
    theirs, then = _followed
    return theirs + timedelta(seconds=time.clock_gettime(STEADY) - then)


def follow(theirs: datetime | None) -> None:
    """From now on time is counted from here; None: this machine's clock is asked again."""
    global _followed
    _followed = None if theirs is None else (theirs, time.clock_gettime(STEADY))


def off_s() -> float:
    """By how many seconds this machine's clock is ahead of the time we go by."""
    return (datetime.now(UTC) - now()).total_seconds()


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Whatever runs inside is told this moment: the time is passed in even through a door that asks for it."""
    token = _given.set(moment)
    try:
        yield
    finally:
        _given.reset(token)
