"""Background work that lives as long as its process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Protocol

STOP_MAY_TAKE_S = 20.0
SWITCH_S = 0.0005


class Budget:
    """So many seconds for several steps: none of them gets more than is left."""

    def __init__(self, seconds: float, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def share(self, most_s: float) -> float:
        """What a step may take, at most `most_s`; 0 once everything is used up."""
        return max(0.0, min(most_s, self._ends_at - self._clock()))


class Service(Protocol):
    """`run` goes on until `stop` was called; `stop` returns when everything is given back (leases, sockets)."""

    async def run(self) -> None:
        """Work until told to stop."""

    async def stop(self) -> None:
        """End the work; nothing is held afterwards."""


def loop_first() -> None:
    """Threads give the interpreter to the event loop within half a millisecond of its asking.

    The loop lets go of it at each system call, thousands of times a second while many people talk; with Python's usual
    5 ms it would stand in line behind the database threads each time.
    """
    sys.setswitchinterval(SWITCH_S)


async def run_alone(service: Service, *, ready: Callable[[], None]) -> None:
    """Run one service without a web server until SIGTERM or SIGINT, then stop it; raises what its `run` raised.

    `ready` is called once signals are listened to.
    """
    loop_first()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    ready()
    running = asyncio.create_task(service.run())
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait_for(service.stop(), STOP_MAY_TAKE_S)
        await asyncio.wait_for(running, STOP_MAY_TAKE_S)
    finally:
        waiting.cancel()
