"""What a round does next. Pure: what is known of its call and its transfer goes in, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from callops.canary.models import Result

ARRIVES_WITHIN: Final = timedelta(seconds=30)
TALKS_WITHIN: Final = timedelta(seconds=60)
"""From asking Twilio for the call until the AI's session has to be open."""


class Next(Enum):
    """The one thing to do now."""

    WAIT = "wait"
    TRANSFER = "transfer"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a round."""

    asked_at: datetime
    longest: timedelta
    has_call: bool = False
    is_over: bool = False
    may_transfer: bool = False
    """The AI's session is open and the call can be transferred."""
    has_attempt: bool = False
    is_settled: bool = False


def decide(known: Known, now: datetime) -> tuple[Next, Result]:
    """What is done now, and what the round's result is if it ends."""
    since = now - known.asked_at
    if known.has_attempt:
        if known.is_settled:
            return Next.END, Result.SETTLED
        return (Next.END if since >= known.longest else Next.WAIT), Result.CUT_OFF
    if not known.has_call:
        return (Next.END if since >= ARRIVES_WITHIN else Next.WAIT), Result.NO_CALL
    if known.may_transfer and not known.is_over:
        return Next.TRANSFER, Result.UNDER_WAY
    gone = known.is_over or since >= min(TALKS_WITHIN, known.longest)
    return (Next.END if gone else Next.WAIT), Result.NO_AI
