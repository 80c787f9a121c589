"""Web processes go by the database's time, as engines do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from callops.core import clock, timekeeping
from callops.core.timekeeping import Timekeeper
from tests.engine.sockets import eventually

THEIRS = datetime(2031, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_clock_again() -> Iterator[None]:
    yield
    clock.follow(None)


async def test_a_process_with_a_wrong_clock_goes_by_the_databases_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timekeeping, "keep_time", lambda: clock.follow(THEIRS))
    keeper = Timekeeper()
    running = asyncio.create_task(keeper.run())

    async def told() -> bool:
        return timedelta() <= clock.now() - THEIRS < timedelta(minutes=1)

    await eventually(told, "it was told the time")
    await keeper.stop()
    await running


async def test_a_database_that_is_away_is_asked_the_time_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OperationalError("away"), None])

    def ask() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer
        clock.follow(THEIRS)

    monkeypatch.setattr(timekeeping, "keep_time", ask)
    monkeypatch.setattr(timekeeping, "EVERY_S", 0.01)
    keeper = Timekeeper()
    running = asyncio.create_task(keeper.run())

    async def told() -> bool:
        return running.done() or abs(clock.now() - THEIRS) < timedelta(minutes=1)

    await eventually(told, "it was told the time at last")
    await keeper.stop()
    await asyncio.gather(running, return_exceptions=True)
    assert abs(clock.now() - THEIRS) < timedelta(minutes=1)


class Machine:
    """A clock that can be set, and one that cannot."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.steady = THEIRS, 1000.0
        monkeypatch.setattr(clock, "datetime", self)
        monkeypatch.setattr(timekeeping, "datetime", self)
        monkeypatch.setattr("callops.core.clock.time.clock_gettime", lambda _: self.steady)
        monkeypatch.setattr("callops.core.timekeeping.time.monotonic", lambda: self.steady)
        monkeypatch.setattr(timekeeping, "_asked", None)

    def now(self, zone: object) -> datetime:
        return self.wall

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.mark.django_db
def test_a_clock_that_is_set_while_people_talk_makes_no_deadline_late(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    timekeeping.keep_time()

    machine.wall -= timedelta(hours=1)
    machine.passes(6)
    timekeeping.keep_time(is_busy=lambda: True)
    assert clock.now() == THEIRS + timedelta(seconds=6)

    machine.passes(6)
    timekeeping.keep_time(is_busy=lambda: False)
    assert clock.now() == machine.wall == THEIRS + timedelta(seconds=12) - timedelta(hours=1)


@pytest.mark.django_db
def test_a_clock_that_drifts_is_followed_also_while_people_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    monkeypatch.setattr(timekeeping, "database_time", lambda: machine.wall)
    timekeeping.keep_time()

    machine.passes(6)
    machine.wall += timedelta(milliseconds=20)
    timekeeping.keep_time(is_busy=lambda: True)

    assert clock.now() == machine.wall
