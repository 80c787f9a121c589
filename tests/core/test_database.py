from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import Error, connection

from callops.core.database import in_db, in_db_patiently


def ask() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0], threading.get_ident()


@pytest.mark.django_db(transaction=True)
async def test_work_runs_in_another_thread_than_the_loop() -> None:
    answer, thread = await in_db(ask)()

    assert answer == 1
    assert thread != threading.get_ident()


@pytest.mark.django_db(transaction=True)
async def test_calls_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    places = await asyncio.gather(in_db(both.wait)(), in_db(both.wait)())

    assert sorted(places) == [0, 1]


@pytest.mark.django_db(transaction=True)
async def test_a_thread_whose_connection_broke_gets_a_new_one() -> None:
    def broken() -> None:
        connection.ensure_connection()
        connection.connection.close()
        ask()

    for _ in range(8):
        with pytest.raises(Error):
            await in_db(broken)()

    answers = [await in_db(ask)() for _ in range(8)]

    assert {answer for answer, _ in answers} == {1}


@pytest.mark.django_db(transaction=True)
async def test_of_what_nobody_waits_for_one_is_done_after_another_and_nothing_else_waits_for_it() -> None:
    begun, may_end = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert may_end.wait(30)
        done.append("first")

    one = asyncio.create_task(in_db_patiently(first)())
    assert await asyncio.to_thread(begun.wait, 30)
    another = asyncio.create_task(in_db_patiently(done.append)("another"))
    await in_db(done.append)("awaited")
    may_end.set()
    await asyncio.gather(one, another)

    assert done == ["awaited", "first", "another"]
