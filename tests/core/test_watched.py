"""Which calls somebody watches, as an engine hears it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import channel_layers

from callops.core import ear, watched
from callops.core.watched import Watched


def test_a_call_is_watched_until_nobody_said_so_for_a_while() -> None:
    moment = [100.0]
    calls = Watched(clock=lambda: moment[0])
    calls.take({"type": watched.KIND, "calls": ["one", "two"]})

    moment[0] += watched.LASTS_S - 1
    calls.take({"type": watched.KIND, "calls": ["two"]})
    assert ("one" in calls, "two" in calls, "three" in calls) == (True, True, False)

    moment[0] += 1
    assert ("one" in calls, "two" in calls) == (False, True)

    moment[0] += watched.LASTS_S
    assert "two" not in calls


async def test_what_a_page_says_is_heard_by_an_engine() -> None:
    calls, ready = Watched(), asyncio.Event()
    hearing = asyncio.create_task(ear.listen([watched.GROUP], calls.take, ready=ready))
    await ready.wait()

    await watched.say(["one"])

    async with asyncio.timeout(5):
        while "one" not in calls:
            await asyncio.sleep(0)
    hearing.cancel()


async def test_a_layer_that_is_away_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise ConnectionError("gone")

    before = channel_layers.set("default", Away())
    try:
        await watched.say(["one"])
    finally:
        channel_layers.set("default", before)
