from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from channels.layers import channel_layers
from django.db import transaction

from callops.core import ear, notify
from callops.core.database import in_db

pytestmark = pytest.mark.django_db(transaction=True)


class BrokenLayer:
    """A layer whose server is gone."""

    async def new_channel(self) -> str:
        raise ConnectionError("gone")

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("gone")


@pytest.fixture
def broken_layer() -> Any:
    before = channel_layers.set("default", BrokenLayer())
    notify._speak_again()
    yield
    channel_layers.set("default", before)
    notify._speak_again()


async def heard(changes: notify.Changes) -> str:
    return await asyncio.wait_for(changes.get(), 10)


async def test_a_change_is_heard_once_the_transaction_is_committed() -> None:
    heard_inside = []

    def change(changes: notify.Changes) -> None:
        with transaction.atomic():
            notify.call_changed("call-1")
            heard_inside.append(changes.qsize())

    async with notify.subscribe() as changes:
        await in_db(change)(changes)

        assert await heard(changes) == "call-1"
    assert heard_inside == [0]


async def test_talk_is_heard_by_those_who_ask_for_it_and_by_nobody_else() -> None:
    def change() -> None:
        with transaction.atomic():
            notify.calls_changed(["talked"], by_talk=True)
            notify.calls_changed(["changed"])

    async with notify.subscribe() as engine, notify.subscribe(talk=True) as page:
        await in_db(change)()

        assert await heard(engine) == "changed"
        assert {await heard(page), await heard(page)} == {"talked", "changed"}
        assert engine.empty()


async def test_a_change_that_was_rolled_back_is_not_heard() -> None:
    def fail() -> None:
        with transaction.atomic():
            notify.call_changed("call-1")
            transaction.set_rollback(True)
        notify.call_changed("call-2")

    async with notify.subscribe() as changes:
        await in_db(fail)()

        assert await heard(changes) == "call-2"


async def test_a_call_that_changed_often_waits_once() -> None:
    def change() -> None:
        with transaction.atomic():
            for _ in range(50):
                notify.call_changed("call-1")
            notify.call_changed("call-2")

    async with notify.subscribe() as changes:
        await in_db(change)()
        await in_db(change)()
        await in_db(notify.call_changed)("the last")
        async with asyncio.timeout(10):
            while changes.qsize() < 3:
                await asyncio.sleep(0)

        assert [await heard(changes) for _ in range(3)] == ["call-1", "call-2", "the last"]
        assert changes.empty()


async def test_a_change_in_a_savepoint_that_was_rolled_back_does_not_hide_a_later_one() -> None:
    def change() -> None:
        with transaction.atomic():
            with transaction.atomic():
                notify.call_changed("call-1")
                transaction.set_rollback(True)
            notify.call_changed("call-1")

    async with notify.subscribe() as changes:
        await in_db(change)()

        assert await heard(changes) == "call-1"


async def test_every_subscriber_hears_and_one_that_left_does_not() -> None:
    async with notify.subscribe() as first:
        async with notify.subscribe() as second:
            await in_db(notify.call_changed)("call-1")
            assert [await heard(first), await heard(second)] == ["call-1", "call-1"]
        await in_db(notify.call_changed)("call-2")

        async for call_id in first:
            assert call_id == "call-2"
            break
        assert second.empty()


async def test_a_layer_that_fails_is_logged_once_and_hurts_nobody(
    broken_layer: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await in_db(notify.call_changed)("call-1")
        await in_db(notify.call_changed)("call-2")

    assert len(caplog.records) == 1


async def test_a_subscriber_hears_again_when_the_layer_comes_back(
    broken_layer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels.layers import InMemoryChannelLayer

    monkeypatch.setattr(notify, "SEND_TIMEOUT_S", 0.2)
    monkeypatch.setattr(ear, "RETRY_S", 0.01)

    async with notify.subscribe() as changes:
        layer = InMemoryChannelLayer()
        channel_layers.set("default", layer)
        while not layer.groups:
            await asyncio.sleep(0)
        await in_db(notify.call_changed)("call-1")

        assert await heard(changes) == "call-1"


async def test_redis_joins_what_is_said_and_what_is_heard(redis_url: str) -> None:
    from channels_redis.pubsub import RedisPubSubChannelLayer

    before = channel_layers.set("default", RedisPubSubChannelLayer(hosts=[redis_url]))
    try:
        async with notify.subscribe() as changes:
            await in_db(notify.call_changed)("call-1")

            assert await heard(changes) == "call-1"
    finally:
        layer = channel_layers.set("default", before)
        await layer.flush()


class SlowLayer:
    """A layer whose server takes its time: a message is through when the test says so."""

    def __init__(self) -> None:
        self.messages: list[list[str]] = []
        self.through = asyncio.Semaphore(0)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.messages.append(list(message["calls"]))
        await self.through.acquire()


async def test_what_changes_while_a_notification_is_on_its_way_is_told_together_by_the_next_one() -> None:
    layer = SlowLayer()
    before = channel_layers.set("default", layer)
    try:
        await in_db(notify.call_changed)("call-1")
        while not layer.messages:
            await asyncio.sleep(0)
        for call_id in ("call-2", "call-3", "call-2"):
            await in_db(notify.call_changed)(call_id)
        layer.through.release()
        async with asyncio.timeout(10):
            while len(layer.messages) < 2:
                await asyncio.sleep(0)
        layer.through.release()
    finally:
        channel_layers.set("default", before)

    assert layer.messages == [["call-1"], ["call-2", "call-3"]]
