"""One writer for all sidebands of a process: what many calls have read goes into one transaction.

A call has at most one batch here, so its order is kept. Nothing is dropped: a batch waits until it is durable or its
lease is lost, and an attachment whose batch waits stops reading its socket when it holds too much.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import DatabaseError, DataError, IntegrityError

from callops.core import counters
from callops.core.database import in_db
from callops.sideband import batches
from callops.sideband.batches import BEHIND, Batch
from callops.sideband.journal import LeaseLost

logger = logging.getLogger(__name__)

BEHIND_S = 2.0

Waiting = tuple[Batch, asyncio.Future[None]]

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Writes under one owner's leases; works only while something waits."""

    def __init__(self, *, owner: str, clock: Callable[[], datetime]) -> None:
        self._owner = owner
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None
        self._failed = False
        self.took_s = 0.0
        """How long the last round took."""
        _writers.add(self)

    async def keep(self, batch: Batch) -> None:
        """The batch is durable. Raises `LeaseLost`, or the database's error; then nothing of it is written."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, durable))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await durable

    async def _work(self) -> None:
        """Round after round: what arrives while one is being written goes into the next."""
        while self._waiting:
            taken, self._waiting = self._waiting, []
            begun = self._clock()
            written = await self._write(taken)
            took_s = self.took_s = (self._clock() - begun).total_seconds()
            if written and (self._failed or took_s > BEHIND_S):
                await self._own_up(f"{len(taken)} batches took {took_s:.1f} s")
            self._failed = not written

    async def _write(self, taken: Sequence[Waiting]) -> bool:
        """All together; if the database finds fault with what is in one, each by itself. Whether any was written."""
        try:
            lost = await in_db(batches.save)([batch for batch, _ in taken], owner=self._owner, now=self._clock())
        except Exception as error:  # whatever it is, those who wait are told, and decide
            if isinstance(error, (DataError, IntegrityError)) and len(taken) > 1:
                return any([await self._write([one]) for one in taken])
            _tell(taken, error)
            return False
        for batch, durable in taken:
            left_out = LeaseLost(f"session {batch.session_id}") if batch.session_id in lost else None
            _tell([(batch, durable)], left_out)
        return True

    async def _own_up(self, reason: str) -> None:
        """That the database was slow or away is counted, once it can be."""
        try:
            await in_db(counters.bump)(BEHIND, self._clock(), reason)
        except DatabaseError:
            logger.exception("That the writer was behind could not be counted.")


def waiting() -> tuple[int, int]:
    """What the writers of this process hold that is not being written yet: batches, and the events in them."""
    held = [batch for writer in list(_writers) for batch, _ in writer._waiting]
    return len(held), sum(len(batch.frames) for batch in held)


def _tell(taken: Sequence[Waiting], error: Exception | None) -> None:
    """Those who wait are told."""
    for _, durable in taken:
        if durable.done():
            continue
        if error is None:
            durable.set_result(None)
        else:
            durable.set_exception(error)
