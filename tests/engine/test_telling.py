"""Notes for the assistant, over the channel layer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.core.database import in_db
from callops.engine import sideband_consumer, telling
from callops.engine.sideband_consumer import COMMANDS
from callops.transfers.commands import cancel
from callops.transfers.models import TransferAttempt
from tests.rows import at, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db(transaction=True)


def asked() -> TransferAttempt:
    make_destination(uri="tel:+15550111", label="Front desk")
    return make_attempt(make_call(make_line()))


async def ear() -> str:
    """A channel that hears what sidebands are told."""
    layer = get_channel_layer()
    channel: str = await layer.new_channel()
    await layer.group_add(COMMANDS, channel)
    return channel


async def hears(channel: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = await get_channel_layer().receive(channel)
        return message


async def test_whoever_holds_the_sideband_gets_the_note_and_then_the_wish_to_speak() -> None:
    attempt = await in_db(asked)()
    channel = await ear()

    await telling.keep_company(attempt.pk, speak=True, now=at(0))

    item, wish = await hears(channel), await hears(channel)
    assert (item["call"], wish["call"]) == (attempt.call_id, attempt.call_id)
    assert item["event"]["type"] == "conversation.item.create"
    assert item["event"]["item"]["role"] == "system"
    assert item["event"]["item"]["id"] == f"note-{attempt.pk}"
    assert len(item["event"]["item"]["id"]) <= 32
    assert "Front desk" in item["event"]["item"]["content"][0]["text"]
    assert (wish["event"], wish["when_quiet"]) == ({"type": "response.create"}, True)


async def test_the_assistant_is_told_once_however_often_it_is_tried() -> None:
    attempt = await in_db(asked)()

    for _ in range(2):
        await telling.keep_company(attempt.pk, speak=True, now=at(0))

    assert (await in_db(kinds)(attempt.call)).count(Kind.US_TOLD_ASSISTANT) == 1


async def test_after_a_cancel_the_assistant_is_told_to_go_on() -> None:
    attempt = await in_db(asked)()
    await telling.keep_company(attempt.pk, speak=True, now=at(0))
    await in_db(cancel)(attempt=attempt, asked_by="supervisor1", now=at(2))
    channel = await ear()

    await telling.say_how_it_ended(attempt.pk, now=at(3))

    item, wish = await hears(channel), await hears(channel)
    assert "The transfer to Front desk was cancelled." in item["event"]["item"]["content"][0]["text"]
    assert wish["event"]["type"] == "response.create"


async def test_a_layer_that_fails_holds_nothing_up_and_the_telling_is_still_on_the_timeline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise ConnectionError("the layer is gone")

    attempt = await in_db(asked)()
    monkeypatch.setattr(sideband_consumer, "get_channel_layer", Broken)

    await telling.keep_company(attempt.pk, speak=True, now=at(0))

    assert Kind.US_TOLD_ASSISTANT in await in_db(kinds)(attempt.call)


async def test_a_call_that_left_its_assistant_is_told_nothing() -> None:
    attempt = await in_db(asked)()
    await telling.keep_company(attempt.pk, speak=True, now=at(0))
    await in_db(cancel)(attempt=attempt, asked_by="supervisor1", now=at(2))
    await in_db(Call.objects.update)(ai_session="closed")

    await telling.say_how_it_ended(attempt.pk, now=at(3))

    assert (await in_db(kinds)(attempt.call)).count(Kind.US_TOLD_ASSISTANT) == 1
