"""Between reading and writing: what one socket gave is gathered, kept in order, and never more than memory can bear."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from django.db import DatabaseError

from callops.core.database import AWAY
from callops.engine.folding import Folder, Taken
from callops.engine.writer import Writer
from callops.sideband.batches import Batch

logger = logging.getLogger(__name__)

SAVE_AGAIN_S = 1.0
MAX_WAITING = 2000
"""Frames of one call that may wait; with more its socket is not read, and the sender has to wait."""
ROOM_S = 5.0


class Keeper:
    """Keeps what a folder holds, batch after batch; `kept` is called with each once it is durable (law 1).

    A batch that was not kept waits and is given again; what is read meanwhile goes into the next.
    """

    def __init__(self, folder: Folder, writer: Writer, *, kept: Callable[[Taken], None]) -> None:
        self._folder = folder
        self._writer = writer
        self._kept = kept
        self._room = asyncio.Event()
        self._unsaved: Taken | None = None
        self._is_away = False
        """The writer has the batch in its hands."""
        self._called = self._hurried = False
        """The writer knows that there is something."""
        self._waiters: list[asyncio.Future[None]] = []
        self.is_over = False
        """Nothing more can be kept: another process holds the sideband now, or we failed. `flush` says why."""

    def heard(self) -> bool:
        """The folder took something; whether there is room for more."""
        if not self._called:
            self._called = True
            self._writer.call_for(self)
        if not self._hurried and self._folder.is_awaited:
            self._hurried = True
            self._writer.call_for(self, at_once=True)
        return len(self._folder.batch.frames) <= MAX_WAITING

    async def make_room(self) -> None:
        """What waits has been taken to the database, or a while has passed."""
        self._room.clear()
        self._writer.call_for(self, at_once=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), ROOM_S)

    async def flush(self) -> None:
        """Everything read so far is durable. Raises `LeaseLost` or the database's error; what was not kept waits."""
        while self._unsaved is not None or self._folder.has_news:
            durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(durable)
            self._writer.call_for(self, at_once=True)
            await durable

    async def flush_at_last(self) -> None:
        """Everything read so far is durable, however long the database was away. Raises `LeaseLost`."""
        while True:
            try:
                return await self.flush()
            except AWAY as error:
                logger.warning("What was heard last could not be kept yet; trying again. (%s)", error)
            await asyncio.sleep(SAVE_AGAIN_S)

    @property
    def call_id(self) -> str:
        """Whose call it is."""
        return self._folder.call_id

    @property
    def events(self) -> int:
        """How many events wait."""
        unsaved = self._unsaved.batch.frames if self._unsaved is not None else ()
        return len(self._folder.batch.frames) + len(unsaved)

    def give(self) -> Batch | None:
        """What is to be written now, for the writer; None: nothing, or it has that already."""
        if self._is_away:
            return None
        self._called = self._hurried = False
        if self._unsaved is None and self._folder.has_news:
            self._unsaved = self._folder.take_batch()
        if self._unsaved is None:
            self._tell(None)
            return None
        self._is_away = self._called = self._hurried = True
        return self._unsaved.batch

    def came_back(self, error: Exception | None) -> None:
        """The batch that was given is durable, or why it is not; also why none could be given."""
        self._is_away = False
        if error is None:
            self._was_kept()
        elif not isinstance(error, (DatabaseError, *AWAY)):
            self.is_over = True
        elif not self._waiters:  # who waits decides when to try again
            self._try_later(error)
        self._tell(error)

    def _was_kept(self) -> None:
        taken, self._unsaved = self._unsaved, None
        self._called = self._hurried = self.is_over = False
        self._room.set()
        if taken is not None:
            self._kept(taken)
        if self._folder.has_news:
            self.heard()

    def _try_later(self, error: Exception) -> None:
        if isinstance(error, AWAY):
            logger.warning("What was heard could not be kept yet; trying again. (%s)", error)
        else:
            logger.error("What was heard could not be kept; trying again.", exc_info=error)
        asyncio.get_running_loop().call_later(SAVE_AGAIN_S, self._writer.call_for, self)

    def _tell(self, error: Exception | None) -> None:
        """Those who wait are told."""
        waiters, self._waiters = self._waiters, []
        for durable in waiters:
            if durable.done():
                continue
            if error is None:
                durable.set_result(None)
            else:
                durable.set_exception(error)
