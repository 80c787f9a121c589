"""The only place that asks what time it is; judgements are given the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_given: ContextVar[datetime | None] = ContextVar("given_time", default=None)


def now() -> datetime:
    """This moment, aware, UTC; inside `standing_at` the time that was given."""
    return _given.get() or datetime.now(UTC)


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Whatever runs inside is told this moment: the time is passed in even through a door that asks for it."""
    token = _given.set(moment)
    try:
        yield
    finally:
        _given.reset(token)
