"""Test calls are placed; what becomes of them is looked at like any other call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from callops.canary import keeping
from callops.canary.models import Round
from callops.core.database import in_db
from callops.providers.told import Told


class Placing(Protocol):
    """What is asked of the carrier."""

    async def make_call(self, *, from_: str, to: str, twiml: str, longest_s: int) -> Told:
        """The carrier was asked for a call."""


async def place(outside: Placing, begun: Round, *, clock: Callable[[], datetime]) -> None:
    """Twilio was asked to call the line from the canary's number, with somebody who says nothing; or the round is over.

    When no answer came the call may ring all the same: the round goes on and finds it, or ends without one.
    """
    canary = begun.canary
    silence = f'<Response><Pause length="{canary.longest_s}"/></Response>'
    told = await outside.make_call(
        from_=canary.from_number, to=canary.line.number, twiml=silence, longest_s=canary.longest_s
    )
    if not (told.is_ok or told.is_lost):
        await in_db(keeping.not_placed)(begun.pk, _why(told), clock())


def _why(told: Told) -> str:
    if told.status is None:
        return f"Twilio was not reached ({told.reason})."
    return f"Twilio answered {told.status}{f', code {told.code}' if told.code else ''}."
