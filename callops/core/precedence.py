"""Who goes first in a process: work that somebody waits for.

While such work is under way, other work that would take the interpreter or the database from it does not begin; for a
moment only, so that nothing is held up for long, however much is asked for. A process may ask others for such a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final
from weakref import WeakKeyDictionary

from callops.core.ear import listen
from callops.core.notify import announce

MOMENT_S: Final = 0.06
"""From the beginning of somebody's work others stand aside for so long, and none of them stands aside longer."""


class _UnderWay:
    """Work on one event loop that somebody waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._until: dict[object, float] = {}
        self._over = asyncio.Event()

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """It goes on in here."""
        me = object()
        self._until[me] = self._loop.time() + MOMENT_S
        self._over.clear()
        try:
            yield
        finally:
            del self._until[me]
            if not self._until:
                self._over.set()

    def for_a_moment(self) -> None:
        """Somebody waits for what is done elsewhere now."""
        work = self.one_more()
        work.__enter__()
        self._loop.call_later(MOMENT_S, work.__exit__, None, None, None)

    async def is_over(self) -> None:
        """There is none, or the moment has passed."""
        at_last = self._loop.time() + MOMENT_S
        while (until := min(at_last, max(self._until.values(), default=0.0))) > self._loop.time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._over.wait()


GROUP: Final = "callops.first"

_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _UnderWay] = WeakKeyDictionary()


def first() -> contextlib.AbstractContextManager[None]:
    """What is done in here goes first on the event loop that runs now."""
    return _here().one_more()


async def stand_aside() -> None:
    """Whatever goes first on this event loop is over, or has had its moment."""
    await _here().is_over()


def ask_others() -> None:
    """Whoever hears of it makes room for a moment. From sync code only; no harm is done when nobody does."""
    announce(GROUP, ["a moment"])


async def heed_others() -> None:
    """Room is made whenever another process asks for it, until cancelled."""
    await listen([GROUP], lambda _: _here().for_a_moment())


def _here() -> _UnderWay:
    loop = asyncio.get_running_loop()
    found = _loops.get(loop)
    if found is None:
        found = _loops[loop] = _UnderWay(loop)
    return found
