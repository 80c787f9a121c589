"""How the live calls are shared out among engines. Pure.

Each engine takes its fair share at once. What nobody has taken for a moment anyone with room takes, and what has waited
longer is taken by whoever looks, full or not: a call that is served late is better than one that is not served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

FAIR_FOR_S = 1.0
FULL_FOR_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What one engine sees of all: its own sidebands, everybody's, the engines there are, and who waits how long."""

    mine: int
    everybodys: int
    engines: int
    capacity: int
    waiting_s: Sequence[float]


def how_many(house: House) -> int:
    """So many of those who wait, the longest waiting first, are this engine's to take now."""
    share = ceil((house.everybodys + len(house.waiting_s)) / max(1, house.engines))
    room = max(0, house.capacity - house.mine)
    fair = min(max(0, share - house.mine), room)
    late = min(sum(waited >= FAIR_FOR_S for waited in house.waiting_s), room)
    too_late = sum(waited >= FULL_FOR_S for waited in house.waiting_s)
    return min(len(house.waiting_s), max(fair, late, too_late))
