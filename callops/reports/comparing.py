"""Two calls side by side: when each step was first known on either, in seconds from the same moment of both. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from callops.calls.kinds import Kind
from callops.reports.record import CallRecord, Happening
from callops.reports.rows import began

NOTICEABLE_S: Final = 1.0


class Align(StrEnum):
    """The moment that both calls are laid on."""

    ACCEPT = "accept"
    TRANSFER = "transfer"


ANCHORS: Final = {
    Align.ACCEPT: (Kind.OPENAI_ACCEPT_ANSWERED, Kind.US_ACCEPT_ASKED, Kind.OPENAI_ACCEPT_UNANSWERED),
    Align.TRANSFER: (Kind.OPERATOR_TRANSFER_ASKED,),
}
TALK: Final = frozenset({Kind.OPENAI_TURN, Kind.OPENAI_INTERRUPTED, Kind.OPENAI_DTMF, Kind.OPENAI_UNKNOWN_FRAME})
"""What is different on every call and no step of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One step on both calls; None where it was not seen. Seconds from the moment they are laid on."""

    mine: Happening | None
    theirs: Happening | None
    mine_s: float | None
    theirs_s: float | None

    @property
    def row(self) -> Happening | None:
        """The fact whose words say what the step is."""
        return self.mine or self.theirs

    @property
    def later_s(self) -> float | None:
        """How much later it was on this call."""
        return None if self.mine_s is None or self.theirs_s is None else self.mine_s - self.theirs_s

    @property
    def differs(self) -> bool:
        """Whether it is worth a look: missing on one of them, or a second and more apart.

        How long before the moment something was says only how long people talked.
        """
        if self.later_s is None:
            return True
        return abs(self.later_s) >= NOTICEABLE_S and max(self.mine_s or 0.0, self.theirs_s or 0.0) > 0


def anchor(record: CallRecord, align: Align) -> datetime | None:
    """The moment to lay the call on; None when it has none."""
    for kind in ANCHORS[align]:
        if found := next((row for row in record.happened if row.kind == kind), None):
            return found.at
    return None


def compare(mine: CallRecord, theirs: CallRecord, align: Align) -> list[Pair]:
    """Every step of either call in the order of time; a call without the moment is laid on its beginning."""
    here, there = (anchor(one, align) or began(one) for one in (mine, theirs))
    ours, others = _steps(mine), _steps(theirs)
    pairs = [_pair(ours.get(key), others.get(key), here, there) for key in {**ours, **others}]
    return sorted(pairs, key=_when)


def _pair(mine: Happening | None, theirs: Happening | None, here: datetime, there: datetime) -> Pair:
    return Pair(
        mine=mine,
        theirs=theirs,
        mine_s=(mine.at - here).total_seconds() if mine else None,
        theirs_s=(theirs.at - there).total_seconds() if theirs else None,
    )


def _when(pair: Pair) -> tuple[float, int]:
    at = pair.mine_s if pair.mine_s is not None else pair.theirs_s or 0.0
    return at, pair.row.seq if pair.row else 0


def _steps(record: CallRecord) -> Mapping[tuple[str, ...], Happening]:
    """The first fact of each step; a leg's statuses and answers by their status are steps of their own."""
    steps: dict[tuple[str, ...], Happening] = {}
    for row in sorted(record.happened, key=lambda row: (row.at, row.seq)):
        if row.kind not in TALK:
            steps.setdefault(_key(row), row)
    return steps


def _key(row: Happening) -> tuple[str, ...]:
    told = [str(row.body[name]) for name in ("role", "status", "name") if row.body.get(name) is not None]
    return (row.kind, *told)
