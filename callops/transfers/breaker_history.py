"""Where a line's breaker stood at moments of the past, by what is known now of the REFERs asked until then. Pure.

Probes are not told apart: half open is open here. What an operator forced held from the moment they said so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callops.transfers.breaker import Position, Wish, decide
from callops.transfers.health import WINDOW, WINDOW_S, Refer, health_of
from callops.transfers.models import Force


@dataclass(frozen=True, slots=True)
class Stood:
    """From this moment on the breaker stood like this."""

    at: datetime
    position: Position
    is_forced: bool


def stood(refers: Sequence[Refer], forced: Sequence[tuple[datetime, Force]], times: Sequence[datetime]) -> list[Stood]:
    """How it stood at each of these times; `refers` and `forced` oldest first, of the 24 hours before the first too."""
    asked = [refer.asked_at for refer in refers]
    said = [at for at, _ in forced]
    return [_at(at, refers, asked, forced[: bisect_right(said, at)]) for at in times]


def changes(course: Sequence[Stood]) -> list[Stood]:
    """Only the first, and those at which it stood differently from before."""
    return [
        each
        for place, each in enumerate(course)
        if not place or (each.position, each.is_forced) != (course[place - 1].position, course[place - 1].is_forced)
    ]


def _at(
    at: datetime, refers: Sequence[Refer], asked: Sequence[datetime], forced: Sequence[tuple[datetime, Force]]
) -> Stood:
    first, last = bisect_left(asked, at - timedelta(seconds=WINDOW_S)), bisect_right(asked, at)
    health = health_of(refers[max(first, last - WINDOW) : last], now=at)
    wish = Wish(force=forced[-1][1]) if forced else Wish()
    decided = decide(health, wish=wish, probe_at=None, now=at)
    position = Position.CLOSED if decided.position == Position.CLOSED else Position.OPEN
    return Stood(at, position, wish.force != Force.AUTO)
