"""How many requests somebody made within this minute, counted in the memory of this process."""

from __future__ import annotations

import math
from collections.abc import Hashable
from threading import Lock

from callops.core.doors import ADDRESSES

WINDOW_S = 60


def next_minute_s(now_s: float) -> int:
    """Whole seconds until the next minute begins, at least one. Pure."""
    return math.ceil(WINDOW_S - now_s % WINDOW_S)


class Rates:
    """Counts of one minute at a time, of at most `most` who ask: who finds no room is let through."""

    def __init__(self, most: int = ADDRESSES) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[Hashable, int] = {}
        self._lock = Lock()

    def wait_s(self, who: Hashable, limit: int | None, now_s: float) -> int:
        """One more request of theirs: 0 when it is within the limit, else whole seconds until the next minute."""
        if limit is None:
            return 0
        minute = int(now_s // WINDOW_S)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            if who not in self._counts and len(self._counts) >= self._most:
                return 0
            count = self._counts[who] = self._counts.get(who, 0) + 1
        return 0 if count <= limit else next_minute_s(now_s)

    def forget(self) -> None:
        """Nobody asked for anything."""
        with self._lock:
            self._counts = {}


rates = Rates()
"""Of this process."""
