"""All processes go by one clock, the database's, where there are several machines.

One process on SQLite goes by its own machine's as it was when the process began, or when nobody was on the line last:
setting the clock while people talk makes no deadline of theirs early or late.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection

from callops.core import clock
from callops.core.database import AWAY, in_db

logger = logging.getLogger(__name__)

EVERY_S = 5.0
STEP_S = 1.0
"""A clock that differs by this was set, and did not merely drift."""

_asked: float | None = None


def keep_time(*, is_busy: Callable[[], bool] = lambda: False) -> None:
    """This process goes by the database's time, asked at most every `EVERY_S`.

    SQLite has none of its own: there the machine's clock is followed, a step of it once nobody is on the line.
    """
    global _asked
    moment = time.monotonic()
    if _asked is not None and moment - _asked < EVERY_S:
        return
    if connection.vendor == "postgresql":
        clock.follow(database_time())
    elif abs(clock.off_s()) < STEP_S or not is_busy():
        clock.follow(datetime.now(UTC))
    else:
        logger.warning("This machine's clock was set by %+.0f s; it is followed when no call is live.", clock.off_s())
    _asked = moment


async def learn_time(*, stopping: asyncio.Event) -> None:
    """This process goes by the database's time, however long it takes to be told; or it is to stop."""
    while not stopping.is_set():
        try:
            await in_db(keep_time)()
            return
        except AWAY as error:
            logger.warning("The database's time could not be asked; it is asked again. (%s)", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVERY_S)


class Timekeeper:
    """A web process goes by the database's time too: it stamps facts and sets deadlines that engines then keep."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Ask the time again and again until `stop`."""
        while not self._told.is_set():
            await learn_time(stopping=self._told)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), EVERY_S)

    async def stop(self) -> None:
        """It is asked no more."""
        self._told.set()


def database_time() -> datetime:
    """What PostgreSQL's clock shows now; the answer's way back is half of the time it took."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told + timedelta(seconds=(time.monotonic() - began) / 2)
