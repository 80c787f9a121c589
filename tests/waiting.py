"""Waiting in an async test for what comes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MAY_TAKE_S = 10.0


async def until(is_so: Callable[[], object]) -> None:
    """It is so. Raises `TimeoutError`."""
    async with asyncio.timeout(MAY_TAKE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def a_while() -> None:
    """Everything on the event loop that waits for nothing has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)
