"""How well the REFERs of a line do. Pure: what became of each goes in, counts and an interval come out.

Only settled knowledge counts (design.md section 5): a REFER that may still be seen in time is neither good nor bad.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from math import sqrt

WINDOW = 20
WINDOW_S = 24 * 3600.0
Z_95 = 1.959964
"""The normal quantile of a 95 % interval."""


class Fate(StrEnum):
    """What became of one REFER that was asked for."""

    PROVEN = "proven"
    """The carrier saw it before its deadline."""
    LATE = "late"
    """The carrier saw it after its deadline."""
    UNPROVEN = "unproven"
    """Its deadline passed and nobody has seen it."""
    REFUSED = "refused"
    """OpenAI or the carrier said no."""


@dataclass(frozen=True, slots=True)
class Refer:
    """One REFER: `id` is its attempt's, `fate` is None while it is not known."""

    asked_at: datetime
    id: str
    fate: Fate | None


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a share probably lies, both ends between 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The newest REFERs whose fate is known, counted."""

    proven: int = 0
    late: int = 0
    unproven: int = 0
    refused: int = 0
    proven_in_a_row: int = 0
    """How many of the newest were proven in time, without one in between that was not."""
    last_asked_at: datetime | None = None

    @property
    def known(self) -> int:
        return self.proven + self.late + self.unproven + self.refused

    @property
    def interval(self) -> Interval:
        """The share that was proven in time, with 95 % confidence."""
        return wilson(self.proven, self.known)


def health_of(refers: Iterable[Refer], *, now: datetime) -> Health:
    """The last 20 known REFERs of 24 hours; any order and repetition of the same REFERs gives the same answer."""
    since = now - timedelta(seconds=WINDOW_S)
    known = {refer for refer in refers if refer.fate is not None and refer.asked_at >= since}
    newest = sorted(known, key=lambda refer: (refer.asked_at, refer.id, str(refer.fate)), reverse=True)[:WINDOW]
    counts = Counter(refer.fate for refer in newest)
    return Health(
        proven=counts[Fate.PROVEN],
        late=counts[Fate.LATE],
        unproven=counts[Fate.UNPROVEN],
        refused=counts[Fate.REFUSED],
        proven_in_a_row=sum(1 for _ in takewhile(lambda refer: refer.fate == Fate.PROVEN, newest)),
        last_asked_at=newest[0].asked_at if newest else None,
    )


def wilson(hits: int, of: int) -> Interval:
    """Wilson's 95 % interval of a share; from 0 to 1 while nothing is known."""
    if of <= 0:
        return Interval(0.0, 1.0)
    share, weight = hits / of, Z_95**2 / of
    middle = (share + weight / 2) / (1 + weight)
    reach = Z_95 * sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    return Interval(max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share)))
