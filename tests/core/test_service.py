from __future__ import annotations

import asyncio
import os
import signal

import pytest

from callops.core.service import STOP_MAY_TAKE_S, Budget, run_alone
from callops.engine import engine


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


def test_steps_that_take_all_they_may_end_together_in_the_time_there_is() -> None:
    passed = [100.0]
    budget = Budget(17.0, clock=lambda: passed[0])
    taken = []
    for most_s in (8.0, 8.0, 8.0, 8.0):
        taken.append(budget.share(most_s))
        passed[0] += taken[-1]

    assert taken == [8.0, 8.0, 1.0, 0.0]


def test_an_engine_gives_its_leases_back_before_its_process_stops_waiting_for_it() -> None:
    assert engine.GIVE_BACK_S < STOP_MAY_TAKE_S
    assert engine.HAND_OVER_S < engine.GIVE_BACK_S
