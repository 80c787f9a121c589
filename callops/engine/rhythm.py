"""When an engine looks: on a notification, when something falls due, after at most a second (design.md section 2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from callops.core.notify import Changes, subscribe

LOOK_EVERY_S = 1.0


class Rhythm:
    """One look after another. `look` returns in how many seconds something falls due; it raises nothing.

    `breath_s`: between the beginnings of two looks at least, so that a thousand notifications a second cost few.
    """

    def __init__(self, look: Callable[[], Awaitable[float]], *, breath_s: float) -> None:
        self._look = look
        self._breath_s = breath_s

    async def run(self, stopping: asyncio.Event) -> None:
        """Looks are made until it is time to stop."""
        loop = asyncio.get_running_loop()
        async with subscribe() as changes:
            while not stopping.is_set():
                begun = loop.time()
                pause_s = min(max(await self._look(), 0.0), LOOK_EVERY_S)
                await self._rest(changes, stopping, pause_s)
                await asyncio.sleep(self._breath_s - (loop.time() - begun))
                while not changes.empty():
                    changes.get_nowait()

    @staticmethod
    async def _rest(changes: Changes, stopping: asyncio.Event, pause_s: float) -> None:
        """Until something changed, falls due, or it is time to stop."""
        waiting = [asyncio.create_task(stopping.wait()), asyncio.create_task(changes.get())]
        try:
            await asyncio.wait(waiting, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiting:
                waiter.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiter
