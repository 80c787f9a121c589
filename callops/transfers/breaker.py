"""Whether REFER or the redirect goes first on a line. Pure: health, an operator's word and the time in, a reason out.

The rule: the breaker is open while at least 7 REFERs are known, the upper end of the 95 % interval of the share proven
in time is below one half, and the last two REFERs were not both proven in time. Two good ones in a row close it again.
While it is open one transfer in ten minutes is a probe that asks for a REFER first; the time runs from the last REFER
or the last probe, whichever came later. What an operator forces holds until it is taken back, without probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callops.transfers.health import Health
from callops.transfers.models import Force

MIN_KNOWN = 7
SICK_BELOW = 0.5
PROOFS_TO_CLOSE = 2
PROBE_EVERY_S = 600.0


class Position(StrEnum):
    """Closed: REFER goes first. Open: the redirect does. Half open: the next transfer may be a probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an operator last asked of the breaker."""

    force: Force = Force.AUTO
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where the breaker stands; `because` is half a sentence that can be followed by what it leads to."""

    position: Position
    because: str
    probe_due_at: datetime | None = None
    """While it is open by itself: when the next transfer is a probe."""


def decide(health: Health, *, wish: Wish, probe_at: datetime | None, now: datetime) -> Decision:
    """Where the breaker of a line stands now, and why."""
    if wish.force != Force.AUTO:
        position = Position.OPEN if wish.force == Force.OPEN else Position.CLOSED
        return Decision(position=position, because=_forced(wish))
    if not is_sick(health):
        return Decision(position=Position.CLOSED, because=_calm(health))
    last = [at for at in (health.last_asked_at, probe_at) if at]
    due_at = max(last) + timedelta(seconds=PROBE_EVERY_S)
    position = Position.HALF_OPEN if now >= due_at else Position.OPEN
    return Decision(position=position, because=record(health), probe_due_at=due_at)


def is_sick(health: Health) -> bool:
    """Whether REFER is known not to work: enough of them known, too few proven in time, and no recovery seen."""
    collapsed = health.known >= MIN_KNOWN and health.interval.high < SICK_BELOW
    return collapsed and health.proven_in_a_row < PROOFS_TO_CLOSE


def record(health: Health) -> str:
    """What became of the REFERs, as half a sentence."""
    known = health.known
    if not known:
        return "No REFER is known of in the last 24 hours"
    if health.unproven == known:
        return f"REFER has been silent for {known} of {known}"
    counts = {"silent": health.unproven, "late": health.late, "refused": health.refused}
    others = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"REFER was seen in time for {health.proven} of {known}" + (f" ({others})" if others else "")


def _calm(health: Health) -> str:
    if not health.known:
        return record(health)
    if health.interval.high >= SICK_BELOW:
        return record(health)
    if health.known < MIN_KNOWN:
        return f"{record(health)}, too few to judge"
    return f"{record(health)}, the last {health.proven_in_a_row} without a miss"


def _forced(wish: Wish) -> str:
    return f"The breaker is {wish.force.label} by {wish.by} ({wish.why})"
