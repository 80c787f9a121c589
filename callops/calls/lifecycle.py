"""What state a call is in, judged from what is known of its legs, session and transfer. Pure; `intake` has the rows.

Nothing here remembers: the same facts give the same state in whatever order they came (design.md, law 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from callops.calls.words import LegStatus, Role, Session, State

RANK = {
    LegStatus.QUEUED: 0,
    LegStatus.INITIATED: 0,
    LegStatus.RINGING: 1,
    LegStatus.IN_PROGRESS: 2,
    LegStatus.COMPLETED: 3,
    LegStatus.BUSY: 3,
    LegStatus.NO_ANSWER: 3,
    LegStatus.FAILED: 3,
    LegStatus.CANCELED: 3,
}
OVER = frozenset(status for status, rank in RANK.items() if rank == 3)


@dataclass(frozen=True, slots=True)
class LegFact:
    """One leg as the carrier last told it."""

    role: Role
    status: LegStatus
    awaits_key: bool = False
    """Picked up, and asked to press 1 first: nobody is bridged yet, perhaps a mailbox answered (Twilio 2.2)."""

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def is_with_human(self) -> bool:
        """Whether a human may be talking on it."""
        return self.role == Role.HUMAN and self.status == LegStatus.IN_PROGRESS and not self.awaits_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that the state of a call depends on."""

    legs: tuple[LegFact, ...]
    session: Session
    transfer_open: bool
    ai_wanted: bool
    """The AI was dialled, or its webhook came."""


def state_of(picture: Picture) -> State:
    """The state of the call, by the strongest fact: over, bridged, moving, talking, on its way.

    Without a caller's leg (a trunk call, an AI call nobody could join) the AI's session is all there is to go by.
    """
    if _is_over(picture):
        return State.ENDED
    if any(leg.is_with_human for leg in picture.legs):
        return State.WITH_HUMAN
    if picture.transfer_open:
        return State.TRANSFERRING
    if picture.session in (Session.OPEN, Session.RECONNECTING):
        return State.LIVE
    if picture.ai_wanted:
        return State.CONNECTING
    return State.RINGING


def forward(old: LegStatus, new: LegStatus) -> bool:
    """Whether a leg may go from `old` to `new`: statuses only move forward (contract Twilio 7)."""
    return RANK[new] > RANK[old]


def _is_over(picture: Picture) -> bool:
    callers = [leg for leg in picture.legs if leg.role == Role.CALLER]
    if callers:
        return all(leg.is_over for leg in callers)
    someone_talks = any(leg.role == Role.HUMAN and not leg.is_over for leg in picture.legs)
    return picture.session == Session.CLOSED and not picture.transfer_open and not someone_talks
