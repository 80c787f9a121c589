"""Short work beside the main one: kept alive until it is done, waited for or ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable


class Errands:
    """The tasks under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, errand: Awaitable[None]) -> None:
        """It is under way."""
        task: asyncio.Task[None] = asyncio.ensure_future(errand)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def rest(self, *, within_s: float) -> None:
        """All are done, or so long has passed."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    def cancel(self) -> None:
        """None goes on."""
        for task in self._tasks:
            task.cancel()
