"""Transfers go on at once when they are asked for, in this process or in another, and otherwise when they are due."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, cast

import pytest

from callops.core import precedence
from callops.core.database import in_db
from callops.engine.moving import Mover
from callops.engine.outside import Outside
from callops.engine.transferring import Transferring
from callops.transfers import steps, wishes
from callops.transfers.models import TransferAttempt
from callops.transfers.strategies import Act
from callops.transfers.taking import Taken
from tests.engine.outside import FakeOutside
from tests.rows import NOON, make_attempt, make_call, make_destination, make_line
from tests.waiting import MAY_TAKE_S, a_while, until

pytestmark = pytest.mark.django_db(transaction=True)


class Office:
    """One process that carries out transfers, and the names of the jobs it began."""

    def __init__(self) -> None:
        self.outside = FakeOutside()
        self.jobs: list[str] = []
        self.running: dict[str, asyncio.Future[None]] = {}
        self.mover = Mover(cast(Outside, self.outside), clock=lambda: NOON)
        self.transferring = Transferring(self.mover, start=self.start, clock=lambda: NOON)

    def start(self, name: str, work: Callable[..., Awaitable[None]], *args: Any) -> bool:
        if name in self.running:
            return False
        self.jobs.append(name)
        self.running[name] = asyncio.ensure_future(work(*args))
        self.running[name].add_done_callback(lambda _: self.running.pop(name))
        return True

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[asyncio.Event]:
        stopping = asyncio.Event()
        running = asyncio.create_task(self.transferring.run(stopping))
        try:
            yield stopping
        finally:
            stopping.set()
            await running
            await asyncio.gather(*list(self.running.values()))
            await self.mover.finish()


def asked(**wish: Any) -> TransferAttempt:
    make_destination(uri="tel:+15550111", label="Front desk")
    return make_attempt(make_call(make_line()), **wish)


def asked_elsewhere() -> TransferAttempt:
    """In a process that carries out no transfers itself."""
    before = dict(wishes._carrying)
    wishes._carrying.clear()
    try:
        return asked()
    finally:
        wishes._carrying.update(before)


async def test_a_transfer_asked_for_in_this_process_goes_on_without_a_look_and_once() -> None:
    office = Office()
    async with office.working():
        await until(lambda: bool(wishes._carrying))
        attempt = await in_db(asked)()
        await until(lambda: bool(office.outside.names()))

    assert office.jobs[0] == f"move:{attempt.pk}"
    assert office.outside.names() == ["refer"]


async def test_a_redirect_asked_for_in_this_process_is_asked_of_the_carrier_at_once() -> None:
    office = Office()
    async with office.working():
        await until(lambda: bool(wishes._carrying))
        attempt = await in_db(asked)(policy="redirect_only")
        await until(lambda: bool(office.outside.names()))

    now = await TransferAttempt.objects.aget(pk=attempt.pk)
    assert office.outside.names() == ["redirect"]
    assert (now.redirect_tries, now.redirect_answer) == (1, "ok")


async def test_a_transfer_asked_for_in_another_process_goes_on_before_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office()
    monkeypatch.setattr(steps, "due_and_next", lambda now: ([], None))
    async with office.working():
        await until(lambda: bool(wishes._carrying))
        attempt = await in_db(asked_elsewhere)()
        await until(lambda: f"move:{attempt.pk}" in office.jobs)

    assert office.outside.names() == ["refer"]


async def test_what_is_due_goes_on_without_anybody_telling() -> None:
    attempt, office = await in_db(asked)(), Office()
    async with office.working():
        await until(lambda: f"move:{attempt.pk}" in office.jobs)

    assert office.outside.names() == ["refer"]


async def test_who_stopped_takes_no_first_step() -> None:
    office = Office()
    async with office.working():
        await until(lambda: bool(wishes._carrying))

    attempt = await in_db(asked)()

    assert office.jobs == []
    assert (await TransferAttempt.objects.aget(pk=attempt.pk)).refer_asked_at is None


async def test_bug_a_transfer_was_carried_out_twice_beside_itself_while_its_redirect_hung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office, answers, due, looks = Office(), asyncio.Event(), list[str](), list[datetime]()
    redirect = office.outside.redirect

    async def hangs(*told: Any) -> Any:
        await answers.wait()
        return await redirect(*told)

    def look(now: datetime) -> tuple[list[str], datetime]:
        looks.append(now)
        return list(due), now

    monkeypatch.setattr(office.outside, "redirect", hangs)
    monkeypatch.setattr(steps, "due_and_next", look)
    async with office.working():
        await until(lambda: bool(wishes._carrying))
        attempt = await in_db(asked)(policy="redirect_only")
        due.append(attempt.pk)
        seen = len(looks)
        await until(lambda: len(looks) > seen + 2)
        begun = list(office.jobs)
        due.clear()
        answers.set()

    assert begun == [f"move:{attempt.pk}"]
    assert office.outside.names() == ["redirect"]


async def test_what_was_taken_with_a_wish_is_carried_out_although_a_look_was_sooner() -> None:
    office, carried = Office(), list[Taken]()
    attempt = await in_db(asked)()
    office.start(f"move:{attempt.pk}", asyncio.sleep, 0)
    taken = Taken(attempt, Act.GIVE_UP)

    async def carry_out(what: Taken) -> None:
        carried.append(what)

    office.mover.carry_out = carry_out  # type: ignore[method-assign,assignment]
    office.transferring._begin(taken)
    await asyncio.gather(*list(office.running.values()))

    assert carried == [taken]


async def test_who_carries_out_transfers_makes_room_when_another_process_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precedence, "MOMENT_S", 10 * MAY_TAKE_S)
    async with Office().working():
        aside = asyncio.create_task(precedence.stand_aside())
        async with asyncio.timeout(MAY_TAKE_S):
            while not await _waits(aside):  # until it is heard
                await in_db(precedence.ask_others)()
                aside = asyncio.create_task(precedence.stand_aside())
        aside.cancel()


async def _waits(aside: asyncio.Task[None]) -> bool:
    await a_while()
    return not aside.done()
