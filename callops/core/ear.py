"""Hearing groups of the channel layer, for as long as it takes: a layer that is away is listened to again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GOODBYE_S = 2.0
RETRY_S = 1.0

NO_LAYER = "none"
"""The `channel_layer_alias` of consumers that begin without the layer, so that they begin while it is away."""

Take = Callable[[dict[str, Any]], None]

_deaf = False


async def listen(groups: Collection[str], take: Take, *, ready: asyncio.Event | None = None) -> None:
    """Every message to the groups is given to `take`, until cancelled; `ready` is set once they are heard."""
    while True:
        try:
            await _hear(groups, take, ready)
        except Exception as wrong:  # whatever the layer raises, hearing again is the answer
            _log_once(wrong)
            await asyncio.sleep(RETRY_S)


async def _hear(groups: Collection[str], take: Take, ready: asyncio.Event | None) -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, channel)
    _hears_again()
    if ready is not None:
        ready.set()
    try:
        while True:
            take(await layer.receive(channel))
    finally:
        with contextlib.suppress(Exception):  # a layer that is gone needs no goodbye
            async with asyncio.timeout(GOODBYE_S):
                for group in groups:
                    await layer.group_discard(group, channel)


def _log_once(wrong: Exception) -> None:
    """Only the first failure in a row is worth a line."""
    global _deaf
    if not _deaf:
        _deaf = True
        logger.error("The channel layer cannot be heard; trying again every second. (%r)", wrong)


def _hears_again() -> None:
    global _deaf
    _deaf = False
