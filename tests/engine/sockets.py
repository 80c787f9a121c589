"""An OpenAI that exists only as sockets and answers the test hands out, in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

from callops.providers.openai.sideband import NotReady
from callops.providers.receipt import NoAnswer, Receipt

WAIT_S = 10.0

Gone = NotReady(Receipt(status=404), code="call_id_not_found", message="No session found")


class Socket:
    """One sideband: gives its frames, then stays open until told to drop or close."""

    def __init__(self, *frames: Mapping[str, Any] | bytes, drops: int | None = None) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        for frame in frames:
            self.push(frame)
        if drops is not None:
            self.drop(drops)
        self.sent: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._heard = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def push(self, frame: Mapping[str, Any] | bytes) -> None:
        self._frames.put_nowait(frame if isinstance(frame, bytes) else json.dumps(frame).encode())

    def drop(self, code: int = 1006) -> None:
        """The other side is gone."""
        self._drop_code = code
        self._frames.put_nowait(None)

    async def feed(self, take: Callable[[bytes], bool]) -> None:
        while (frame := await self._frames.get()) is not None:
            if not take(frame):
                return
            await self._room.wait()
        self.close_code, self.close_reason = self._drop_code, ""

    def pause_reading(self) -> None:
        self._room.clear()

    def resume_reading(self) -> None:
        self._room.set()

    async def send(self, event: Mapping[str, Any]) -> None:
        if self.close_code is not None:
            raise NoAnswer(reason="dropped", duration_ms=0, detail="closed")
        self.sent.append(dict(event))
        self._heard.set()

    async def close(self) -> None:
        if self.close_code is None:
            self.drop(1000)

    async def until(self, is_so: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Until what was sent to it is so."""
        async with asyncio.timeout(WAIT_S):
            while not is_so(self.sent):
                self._heard.clear()
                await self._heard.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class OpenAi:
    """Each attach gets the next of these; the last one is given for ever. Hang-ups and ended legs are kept."""

    def __init__(self, attaches: Sequence[Socket | Exception]) -> None:
        self._attaches = list(attaches)
        self.hung_up: list[str] = []
        self.completed: list[str] = []
        self.asked = 0

    async def sideband(self, ai_call_id: str) -> Socket:
        self.asked += 1
        found = self._attaches.pop(0) if len(self._attaches) > 1 else self._attaches[0]
        if isinstance(found, Exception):
            raise found
        return found

    async def hang_up_ai(self, ai_call_id: str) -> None:
        self.hung_up.append(ai_call_id)

    async def complete(self, sid: str) -> None:
        self.completed.append(sid)


async def eventually(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What `look` gives as soon as it is true."""
    async with asyncio.timeout(WAIT_S):
        while not (seen := await look()):
            await asyncio.sleep(0.01)
    assert seen, what
    return seen
