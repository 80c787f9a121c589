"""Work that somebody waits for goes first, for a moment; nothing is held up for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from callops.core import precedence
from callops.core.database import in_db, in_db_patiently
from callops.core.precedence import first, stand_aside
from callops.core.turnstile import Turnstile
from callops.dashboard import hub as hub_module
from callops.dashboard.hub import Hub
from tests.waiting import MAY_TAKE_S, a_while, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _long_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is over because time has passed."""
    monkeypatch.setattr(precedence, "MOMENT_S", 10 * MAY_TAKE_S)


async def _stands(aside: asyncio.Task[Any]) -> bool:
    """Whether it still does not go on although everything else has had its turn."""
    await a_while()
    return not aside.done()


async def test_where_nobody_waits_everything_begins_at_once() -> None:
    await stand_aside()

    with first():
        pass
    await stand_aside()


@pytest.mark.usefixtures("_long_moment")
async def test_others_begin_when_all_that_goes_first_is_over() -> None:
    with first():
        aside = asyncio.create_task(stand_aside())
        with first():
            assert await _stands(aside)
        assert await _stands(aside)

    await asyncio.wait_for(aside, MAY_TAKE_S)


@pytest.mark.usefixtures("_long_moment")
async def test_what_failed_is_over_too() -> None:
    with pytest.raises(RuntimeError, match="no"), first():
        raise RuntimeError("no")

    await asyncio.wait_for(stand_aside(), MAY_TAKE_S)


async def test_work_that_never_ends_holds_nobody_up_for_ever() -> None:
    with first():
        await asyncio.wait_for(stand_aside(), MAY_TAKE_S)
        await asyncio.wait_for(stand_aside(), MAY_TAKE_S)


async def test_one_after_the_other_hold_nobody_up_for_ever() -> None:
    async def one_after_the_other() -> None:
        while True:
            with first():
                await asyncio.sleep(0)

    busy = asyncio.create_task(one_after_the_other())
    try:
        await asyncio.wait_for(stand_aside(), MAY_TAKE_S)
    finally:
        busy.cancel()


@pytest.mark.usefixtures("_long_moment")
async def test_room_is_made_when_another_process_asks_for_it() -> None:
    heeding = asyncio.create_task(precedence.heed_others())
    aside = asyncio.create_task(stand_aside())
    try:
        async with asyncio.timeout(MAY_TAKE_S):
            while not await _stands(aside):  # until it is heard
                await in_db(precedence.ask_others)()
                aside = asyncio.create_task(stand_aside())
    finally:
        heeding.cancel()
        aside.cancel()


async def test_room_that_another_process_asked_for_is_made_for_a_moment_only() -> None:
    precedence._here().for_a_moment()

    await asyncio.wait_for(stand_aside(), MAY_TAKE_S)
    await until(lambda: not precedence._here()._until)


@pytest.mark.usefixtures("_long_moment")
async def test_patient_work_stands_aside_and_work_that_is_waited_for_does_not() -> None:
    done: list[str] = []
    with first():
        patient = asyncio.create_task(in_db_patiently(done.append)("patient"))
        for _ in range(20):
            await in_db(done.append)("waited for")
        assert done == ["waited for"] * 20

    await asyncio.wait_for(patient, MAY_TAKE_S)
    assert done[-1] == "patient"


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.parametrize(("method", "goes_first"), [("POST", True), ("DELETE", True), ("GET", False), ("HEAD", False)])
async def test_who_asks_for_a_change_goes_first_and_who_looks_does_not(method: str, *, goes_first: bool) -> None:
    seen: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        aside = asyncio.create_task(stand_aside())
        seen.append(await _stands(aside))
        aside.cancel()

    async def nothing(*_: Any) -> None:
        return None

    await Turnstile(application)({"type": "http", "method": method, "path": "/api/calls"}, nothing, nothing)

    assert seen == [goes_first]


@pytest.mark.usefixtures("_long_moment")
async def test_live_pages_are_read_when_nothing_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, read = Hub(), list[set[str]]()

    async def refresh(call_ids: set[str]) -> None:
        read.append(call_ids)

    monkeypatch.setattr(hub_module, "GATHER_S", 0)
    monkeypatch.setattr(hub, "_refresh", refresh)
    hub._dirty.add("call-1")
    hub._wake.set()
    with first():
        flushing = asyncio.create_task(hub._flush())
        assert await _stands(flushing)
        assert read == []

    await asyncio.wait_for(flushing, MAY_TAKE_S)
    assert read == [{"call-1"}]
