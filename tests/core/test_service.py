from __future__ import annotations

import asyncio
import os
import signal

import pytest

from callops.core.service import run_alone


class Fake:
    """Works until stopped, or fails."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.running = asyncio.Event()
        self.told = asyncio.Event()

    async def run(self) -> None:
        self.running.set()
        if self.fails:
            raise RuntimeError("broken")
        await self.told.wait()

    async def stop(self) -> None:
        self.told.set()


async def test_a_service_alone_stops_on_sigterm() -> None:
    service = Fake()
    alone = asyncio.create_task(run_alone(service, ready=lambda: None))
    await asyncio.wait_for(service.running.wait(), 10)

    os.kill(os.getpid(), signal.SIGTERM)

    await asyncio.wait_for(alone, 10)
    assert service.told.is_set()


async def test_a_service_alone_that_fails_is_stopped_and_says_why() -> None:
    service = Fake(fails=True)

    with pytest.raises(RuntimeError, match="broken"):
        await run_alone(service, ready=lambda: None)

    assert service.told.is_set()
