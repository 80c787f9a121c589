"""When transfers go on in this process: at once when they are asked for, when they fall due, and each second.

They are looked at by themselves: nothing else may hold up who was promised a human.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from callops.core.database import AWAY, in_db
from callops.core.precedence import first, heed_others
from callops.engine.moving import Mover
from callops.engine.rhythm import LOOK_EVERY_S, Rhythm
from callops.transfers import steps, wishes
from callops.transfers.taking import Taken

logger = logging.getLogger(__name__)

T = TypeVar("T")

BREATH_S = 0.02


class Transferring:
    """What a mover is to carry out; `start` begins the job by a name, and says False if one by that name is running."""

    def __init__(self, mover: Mover, *, start: Callable[..., bool], clock: Callable[[], datetime]) -> None:
        self._mover = mover
        self._start = start
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Transfers go on until it is time to stop."""
        wishes.carry(self._begin)
        hearing = [asyncio.create_task(each) for each in (wishes.listen(self._go_on), heed_others())]
        try:
            await Rhythm(self._look, breath_s=BREATH_S).run(stopping)
        finally:
            wishes.carry_no_more(self._begin)
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)

    async def _look(self) -> float:
        """Transfers that are due go on; seconds until the next one is."""
        try:
            due, next_at = await in_db(steps.due_and_next)(self._clock())
        except AWAY as error:
            logger.warning("Transfers could not be looked at; it is tried again. (%s)", error)
            return LOOK_EVERY_S
        except Exception:
            logger.exception("Transfers could not be looked at; it is tried again in a second.")
            return LOOK_EVERY_S
        for attempt_id in due:
            self._go_on(attempt_id)
        return (next_at - self._clock()).total_seconds() if next_at else LOOK_EVERY_S

    def _begin(self, taken: Taken) -> None:
        """The step that was taken is carried out, beside what a look may have begun of the same transfer since then."""
        pk = taken.attempt.pk
        if not self._start(f"move:{pk}", self._hurry, self._mover.carry_out, taken):
            self._start(f"begin:{pk}", self._hurry, self._mover.carry_out, taken)

    def _go_on(self, attempt_id: str) -> None:
        self._start(f"move:{attempt_id}", self._hurry, self._mover.advance, attempt_id)

    @staticmethod
    async def _hurry(work: Callable[[T], Awaitable[None]], what: T) -> None:
        """A caller waits for it."""
        with first():
            await work(what)
