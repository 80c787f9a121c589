"""Whoever carries out transfers in this process is told at once, of what is durable and of nothing else."""

from __future__ import annotations

import asyncio

import pytest
from django.db import transaction

from callops.core.database import in_db
from callops.transfers import wishes
from callops.transfers.models import TransferAttempt
from tests.rows import make_attempt, make_call, make_destination, make_line

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


async def test_who_hears_is_told_of_a_wish_when_it_is_durable() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    wishes.hear(heard.put_nowait)
    try:
        with pytest.raises(Undone):
            await in_db(asked_in_vain)()
        attempt = await in_db(asked)()
        told = await asyncio.wait_for(heard.get(), 5)
    finally:
        wishes.hear_no_more(heard.put_nowait)

    assert told == attempt.pk
    assert heard.empty()


async def test_who_hears_no_more_is_told_nothing() -> None:
    heard: list[str] = []
    wishes.hear(heard.append)
    wishes.hear_no_more(heard.append)

    await in_db(asked)()
    await asyncio.sleep(0)

    assert heard == []


def test_a_wish_is_recorded_although_who_heard_died_with_its_loop() -> None:
    heard: list[str] = []
    go_on = heard.append

    async def hear() -> None:
        wishes.hear(go_on)

    asyncio.run(hear())

    attempt = asked()

    assert TransferAttempt.objects.filter(pk=attempt.pk).exists()
    assert go_on not in wishes._hearing
