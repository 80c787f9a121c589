"""An outside for engine tests: it writes down what it is asked and answers what it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import msgspec

from callops.providers.receipt import ProviderError, Receipt
from callops.providers.told import Told
from callops.providers.twilio.calls import CarrierCall

OK = Told(status=200, duration_ms=120)
LOST = Told(reason="timeout", duration_ms=5000)
RECEIPT = Receipt(status=200)


class Unreachable(ProviderError):
    """The carrier could not be asked."""


def leg(sid: str, status: str, *, parent_sid: str | None = None) -> CarrierCall:
    return CarrierCall(
        sid=sid,
        parent_sid=parent_sid,
        status=status,
        direction="inbound",
        from_="+15550123",
        to="+15550100",
        start_time=None,
        end_time=None,
        trunk_sid=None,
        receipt=RECEIPT,
    )


@dataclass
class FakeOutside:
    """`asked` is every request in order; `legs` are the statuses by SID; `before_redirect` runs as it is sent."""

    refer_answer: Told = OK
    redirect_answer: Told = OK
    legs: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    socket: FakeSideband | None = None
    before_redirect: Callable[[], Awaitable[None]] | None = None

    async def refer(self, ai_call_id: str, target_uri: str) -> Told:
        self.asked.append(("refer", target_uri))
        return self.refer_answer

    async def redirect(self, call_sid: str, url: str) -> Told:
        self.asked.append(("redirect", call_sid))
        if self.before_redirect is not None:
            await self.before_redirect()
        return self.redirect_answer

    async def complete(self, call_sid: str) -> Told:
        self.asked.append(("complete", call_sid))
        return OK

    async def hang_up_ai(self, ai_call_id: str) -> Told:
        self.asked.append(("hang_up_ai", ai_call_id))
        return OK

    async def look_up(self, call_sid: str) -> CarrierCall:
        self.asked.append(("look_up", call_sid))
        if call_sid not in self.legs:
            raise Unreachable("nobody answers")
        parent = None if call_sid.startswith("CA0") else "CAparent"
        return leg(call_sid, self.legs[call_sid], parent_sid=parent)

    async def sideband(self, ai_call_id: str) -> FakeSideband:
        assert self.socket is not None
        return self.socket

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


class FakeSideband:
    """A sideband that says what it is given and keeps what is sent to it."""

    close_code: int | None = None
    close_reason: str | None = None

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    async def feed(self, take: Callable[[bytes], bool]) -> None:
        while (frame := await self._frames.get()) is not None and take(frame):
            pass

    def says(self, kind: str, **fields: Any) -> None:
        """A frame arrives."""
        self._frames.put_nowait(msgspec.json.encode({"type": kind, **fields}))

    async def send(self, event: dict[str, Any]) -> None:
        self.sent.append(dict(event))
        self.news.set()

    async def close(self) -> None:
        self._frames.put_nowait(None)

    def types(self) -> list[str]:
        return [event["type"] for event in self.sent]
