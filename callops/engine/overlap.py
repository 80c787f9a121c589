"""Two sockets on one session for a moment: what the heir hears while the owner still reads (contract OpenAI 4.2)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from callops.core.database import in_db
from callops.engine.outside import Outside
from callops.engine.sessions import Served
from callops.providers.openai.sideband import Sideband
from callops.providers.receipt import ProviderError
from callops.sideband import succession

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
WAIT_S = 12.0
BEFORE_MS = 10_000
"""A frame that both heard was not kept longer ago than this before the heir's socket was open."""

Heard = tuple[datetime, bytes]


class Overlap:
    """Reads a socket into memory until it is known whether the sideband is ours."""

    def __init__(self, socket: Sideband, clock: Callable[[], datetime]) -> None:
        self._socket = socket
        self._clock = clock
        self.heard: list[Heard] = []

    async def until_ours(self, look: Callable[[], Awaitable[bool | None]]) -> bool:
        """Whether it became ours; what was heard until then is in `heard`, and the socket can be read on."""
        reading = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(WAIT_S):
                while (ours := await look()) is None:  # noqa: ASYNC110 - the database has no event for it
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            return False
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        return ours

    async def _read(self) -> None:
        await self._socket.feed(self._hear)

    def _hear(self, raw: bytes) -> bool:
        self.heard.append((self._clock(), raw))
        return True


async def take_over(
    served: Served, owner: str, outside: Outside, clock: Callable[[], datetime]
) -> tuple[Sideband, list[Heard]] | None:
    """The session's second socket, its owner gone, and what it heard until then; None when it did not become ours."""
    try:
        socket = await outside.sideband(served.ai_call_id)
    except ProviderError as error:
        logger.warning("The sideband could not be inherited: %s", error)
        await in_db(succession.decline)(served.session_id, owner)
        return None
    overlap = Overlap(socket, clock)
    await in_db(succession.hears)(served.session_id, owner)
    if await overlap.until_ours(lambda: in_db(succession.take_up)(served.session_id, owner)):
        return socket, overlap.heard
    await socket.close()
    return None


def unseen(stored: Sequence[tuple[int, bytes]], heard: Iterable[Heard]) -> list[Heard]:
    """What was heard and is not among what the owner kept, in order. Pure.

    An event is known again by its id; a key press has none (contract OpenAI 4.4) and is known by its text, as often as
    it came.
    """
    frames = list(heard)
    if not frames:
        return []
    since = frames[0][0].timestamp() * 1000 - BEFORE_MS
    known = Counter(_name(raw) for at_ms, raw in stored if at_ms >= since)
    left = []
    for at, raw in frames:
        name = _name(raw)
        if known[name] > 0:
            known[name] -= 1
        else:
            left.append((at, raw))
    return left


class _Named(msgspec.Struct):
    event_id: str | None = None


def _name(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw, type=_Named).event_id or raw
    except msgspec.DecodeError:
        return raw
