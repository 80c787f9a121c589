"""Whether a session whose socket does not open is over, and what then has to be done for its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from callops.calls.kinds import Kind
from callops.core.database import in_db_at_last
from callops.engine import sessions
from callops.engine.outside import Outside
from callops.engine.sessions import Served
from callops.sideband import journal

READY_BY_S = 10.0
GONE_AFTER = 2


@dataclass(frozen=True, slots=True)
class Tries:
    """The attempts so far to open one socket."""

    started: datetime
    count: int
    gone: int
    """How many were answered 404."""
    status: int
    """What the last one was answered; 0: nothing."""


class Ending:
    """The end of one session, as its owner finds it."""

    def __init__(self, served: Served, *, owner: str, outside: Outside, clock: Callable[[], datetime]) -> None:
        self._served = served
        self._owner = owner
        self._outside = outside
        self._clock = clock

    async def is_over(self, tries: Tries, *, was_open: bool) -> bool:
        """Once it was open two 404s say so; before that, the time is up. A caller who is gone ends it at once.

        What never opened may still be about to, and would be a ghost: OpenAI is asked to end it (contract OpenAI 1.5).
        """
        if await in_db_at_last(sessions.caller_is_gone)(self._served.session_id):
            await self._closed("The caller's leg is over.", tries, was_open=was_open, caller_gone=True)
            if not was_open:
                await self._outside.hang_up_ai(self._served.ai_call_id)
            return True
        if was_open:
            if tries.gone >= GONE_AFTER:
                await self._closed("The session is gone.", tries, was_open=True)
            return tries.gone >= GONE_AFTER
        limit = max(self._served.accepted_at, tries.started - timedelta(seconds=READY_BY_S / 2))
        if (self._clock() - limit).total_seconds() < READY_BY_S:
            return False
        await self._never_lived(tries)
        return True

    async def _never_lived(self, tries: Tries) -> None:
        """Accepted but dead: the AI's leg is ended, so that the dial's `action` takes the caller on (OpenAI 3.2)."""
        await self._closed(f"The sideband never opened in {READY_BY_S:.0f} s.", tries, was_open=False)
        await self._outside.hang_up_ai(self._served.ai_call_id)
        leg = await in_db_at_last(sessions.ai_leg)(self._served.session_id)
        if leg:
            await self._outside.complete(leg)

    async def _closed(self, why: str, tries: Tries, *, was_open: bool, caller_gone: bool = False) -> None:
        kind = Kind.OPENAI_SESSION_OVER if was_open else Kind.OPENAI_SIDEBAND_REFUSED
        body = {"status": tries.status, "tries": tries.count, "caller_gone": caller_gone}
        session_id, now = self._served.session_id, self._clock()
        await in_db_at_last(journal.closed)(session_id, owner=self._owner, at=now, why=why, kind=kind, body=body)
