"""From the socket to the folder: each frame where it arrives, and a sender that waits while too much is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from callops.engine.folding import Folder
from callops.engine.keeper import Keeper
from callops.providers.openai.sideband import Sideband


class Reader:
    """Reads one socket until it has closed, or until nothing more can be kept; `heard` is set at each frame."""

    def __init__(
        self, socket: Sideband, folder: Folder, keeper: Keeper, *, clock: Callable[[], datetime], heard: asyncio.Event
    ) -> None:
        self._socket = socket
        self._folder = folder
        self._keeper = keeper
        self._clock = clock
        self._heard = heard
        self._pausing: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """It is over, and all that was read is with the keeper."""
        try:
            await self._socket.feed(self._take)
        finally:
            if self._pausing is not None:
                self._pausing.cancel()

    def _take(self, raw: bytes) -> bool:
        self._folder.take(raw, self._clock())
        self._heard.set()
        if not self._keeper.heard() and self._pausing is None:
            self._pausing = asyncio.create_task(self._pause())
        return not self._keeper.is_over

    async def _pause(self) -> None:
        """Nothing is read until there is room."""
        self._socket.pause_reading()
        try:
            await self._keeper.make_room()
        finally:
            self._pausing = None
            self._socket.resume_reading()
