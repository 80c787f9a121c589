"""Whoever carries out transfers here is given the first step of each, durable with the wish or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from callops.calls.kinds import Kind
from callops.core import precedence
from callops.core.database import in_db
from callops.transfers import wishes
from callops.transfers.models import TransferAttempt
from callops.transfers.strategies import Act
from callops.transfers.taking import Taken
from tests.rows import NOON, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db(transaction=True)


class Undone(Exception):
    """Something went wrong after the wish."""


def asked() -> TransferAttempt:
    make_destination(uri="tel:+15550111", label="Front desk")
    return make_attempt(make_call(make_line()))


@transaction.atomic
def asked_in_vain() -> None:
    asked()
    raise Undone


async def test_the_first_step_is_taken_with_the_wish_and_told_once_both_are_durable() -> None:
    given: asyncio.Queue[Taken] = asyncio.Queue()
    wishes.carry(given.put_nowait)
    try:
        with pytest.raises(Undone):
            await in_db(asked_in_vain)()
        attempt = await in_db(asked)()
        taken = await asyncio.wait_for(given.get(), 5)
    finally:
        wishes.carry_no_more(given.put_nowait)

    assert (taken.attempt.pk, taken.act) == (attempt.pk, Act.REFER)
    assert taken.errand is not None
    assert given.empty()
    happened = await in_db(kinds)(attempt.call)
    assert happened[-2:] == [Kind.OPERATOR_TRANSFER_ASKED, Kind.US_REFER_ASKED]
    kept = await TransferAttempt.objects.aget()
    assert (kept.refer_asked_at, kept.due_at, kept.state) == (NOON, kept.refer_deadline_at, "running")


async def test_of_two_that_carry_out_transfers_one_is_given_the_step() -> None:
    given: list[Taken] = []

    def first(taken: Taken) -> None:
        given.append(taken)

    def second(taken: Taken) -> None:
        given.append(taken)

    wishes.carry(first)
    wishes.carry(second)
    try:
        await in_db(asked)()
        await asyncio.sleep(0)
    finally:
        wishes.carry_no_more(first)
        wishes.carry_no_more(second)

    assert len(given) == 1


async def test_who_carries_no_more_has_no_step_taken_for_it() -> None:
    given: list[Taken] = []
    wishes.carry(given.append)
    wishes.carry_no_more(given.append)

    attempt = await in_db(asked)()
    await asyncio.sleep(0)

    assert given == []
    assert Kind.US_REFER_ASKED not in await in_db(kinds)(attempt.call)


def test_a_wish_is_recorded_and_its_step_left_to_others_when_who_carried_died_with_its_loop() -> None:
    given: list[Taken] = []
    carry_out: Callable[[Taken], None] = given.append

    async def carry() -> None:
        wishes.carry(carry_out)

    asyncio.run(carry())
    try:
        attempt = asked()
    finally:
        wishes.carry_no_more(carry_out)

    assert (attempt.state, attempt.due_at) == ("pending", NOON)
    assert given == []


def test_a_step_whose_process_ends_before_it_is_told_is_overdue_later() -> None:
    ready, end = threading.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def carry() -> None:
        wishes.carry(print)
        ready.set()
        await loop.run_in_executor(None, end.wait)

    running = threading.Thread(target=loop.run_until_complete, args=[carry()])
    running.start()
    assert ready.wait(5)
    try:
        with transaction.atomic():
            attempt = asked()
            end.set()
            running.join(5)
            loop.close()
    finally:
        wishes.carry_no_more(print)

    kept = TransferAttempt.objects.get()
    assert (kept.pk, kept.state, kept.due_at) == (attempt.pk, "running", kept.refer_deadline_at)


async def test_engines_elsewhere_are_asked_for_room_where_nobody_carries_out_transfers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_for: list[str] = []
    monkeypatch.setattr(precedence, "ask_others", lambda: asked_for.append("room"))
    given: list[Taken] = []

    wishes.carry(given.append)
    wishes.coming()
    assert asked_for == []
    wishes.carry_no_more(given.append)
    wishes.coming()

    assert asked_for == ["room"]
