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

logger = logging.getLogger(__name__)

GATHER_S = 0.06
GATHER_AT_MOST_S = 0.2
SAVE_AGAIN_S = 1.0
MAX_WAITING = 2000
"""Frames of one call that may wait; with more its socket is not read, and the sender has to wait."""
ROOM_S = 5.0


class Keeper:
    """Keeps what a folder holds, batch after batch; `kept` is called with each once it is durable (law 1)."""

    def __init__(self, folder: Folder, writer: Writer, *, kept: Callable[[Taken], None]) -> None:
        self._folder = folder
        self._writer = writer
        self._kept = kept
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._writing = asyncio.Lock()
        self._unsaved: Taken | None = None

    def heard(self) -> bool:
        """The folder took something; whether there is room for more."""
        self._news.set()
        return len(self._folder.batch.frames) <= MAX_WAITING

    async def make_room(self) -> None:
        """What waits has been taken to the database, or a while has passed."""
        self._room.clear()
        self._news.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), ROOM_S)

    async def run(self) -> None:
        """Batches, for ever: what arrives while one is being written, or within a blink, goes into the next."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._pause_s())
            self._news.clear()
            try:
                await asyncio.shield(self.flush())
            except AWAY as error:
                logger.warning("What was heard could not be kept yet; trying again. (%s)", error)
                await asyncio.sleep(SAVE_AGAIN_S)
                self._news.set()
            except DatabaseError:
                logger.exception("What was heard could not be kept; trying again.")
                await asyncio.sleep(SAVE_AGAIN_S)
                self._news.set()

    def _pause_s(self) -> float:
        """How long to gather: not at all when somebody waits for an answer; the longer, the longer writing takes."""
        if self._folder.calls or self._folder.summaries:
            return 0
        return min(max(GATHER_S, self._writer.took_s), GATHER_AT_MOST_S)

    async def flush(self) -> None:
        """Everything read so far is durable. Raises `LeaseLost` or the database's error; what was not kept waits."""
        async with self._writing:
            if self._unsaved is not None:
                await self._keep_one(self._unsaved)
            if self._folder.has_news:
                await self._keep_one(self._folder.take_batch())

    async def flush_at_last(self) -> None:
        """Everything read so far is durable, however long the database was away. Raises `LeaseLost`."""
        while True:
            try:
                return await self.flush()
            except AWAY as error:
                logger.warning("What was heard last could not be kept yet; trying again. (%s)", error)
            await asyncio.sleep(SAVE_AGAIN_S)

    async def _keep_one(self, taken: Taken) -> None:
        self._unsaved = taken
        await self._writer.keep(taken.batch)
        self._unsaved = None
        self._room.set()
        self._kept(taken)
