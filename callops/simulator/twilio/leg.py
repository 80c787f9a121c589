"""A leg that runs documents: one at a time, interruptible by the people and by REST (contract Twilio 0.6 and 3.2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol, TypeVar

from callops.simulator.twilio.calls import Call, NotRedirectable
from callops.simulator.twilio.documents import Document, Source
from callops.simulator.twilio.switchboard import Switchboard

T = TypeVar("T")


class Flow(Enum):
    """What follows a verb: the next one, the end of the document's leg, or the end of its verbs."""

    NEXT = "next"
    HANG_UP = "hang_up"
    EXHAUSTED = "exhausted"


Turn = Flow | Source | Document
"""What follows a verb or a document."""


class Interruption(Exception):
    """Something took the leg away from the verb it was running."""


class LegOver(Interruption):
    """The party hung up, or REST ended the leg."""


class Redirected(Interruption):
    """REST sent the leg to another document; `at` is the loop's time of the 200."""

    def __init__(self, source: Source, at: float) -> None:
        super().__init__(source.url)
        self.source = source
        self.at = at


class Held(Protocol):
    """An AI leg that stays connected while a REFER is carried out (contract Twilio 2.3)."""

    @property
    def alive(self) -> bool:
        """Whether the caller could still go back to it."""

    def release(self) -> None:
        """The human is there (or the caller gone): the AI leg is not needed any more."""


class Leg:
    """One leg running documents. `interpret` runs them to their end and is the same for every leg of a stage."""

    def __init__(self, board: Switchboard, call: Call, interpret: Callable[[Leg, Turn], Awaitable[Flow]]) -> None:
        self.board = board
        self.call = call
        self.interpret = interpret
        self.held: Held | None = None
        self.keys: deque[str] = deque()
        self.key_pressed = asyncio.Event()
        self.listens: Callable[[str], None] | None = None
        """Who hears the party's keys while a `<Dial>` runs."""
        self.on_gather: Callable[[], None] | None = None
        """Told when a `<Gather>` begins to listen."""
        self.reject_status: str | None = None
        self.may_dial = True
        self._pending: Interruption | None = None
        self._interrupted = asyncio.Event()

    def interrupt(self, cause: Interruption) -> None:
        """Take the leg away from what it does; the end of a leg is never overtaken by a redirect."""
        if not isinstance(self._pending, LegOver):
            self._pending = cause
            self._interrupted.set()

    def redirect(self, source: Source) -> None:
        """Send the leg to another document; refused with 21220 while it rings or when it is over."""
        if self.call.ended or self.call.status == "ringing":
            raise NotRedirectable
        self.board.note(self.call, "redirected", url=source.url)
        self.interrupt(Redirected(source, asyncio.get_running_loop().time()))

    def end(self) -> None:
        """The party is gone: its status first, so that every later request says so."""
        if self.call.move("no-answer" if self.call.answered_at is None else "completed"):
            self.interrupt(LegOver())

    def press(self, key: str) -> None:
        """A key of the party: for the other side of a `<Dial>`, else for a `<Gather>`."""
        if self.listens is not None:
            self.listens(key)
        else:
            self.keys.append(key)
            self.key_pressed.set()

    def answer(self) -> None:
        """The party's leg is answered from now on."""
        if self.call.status == "ringing" and self.call.move("in-progress"):
            self.board.note(self.call, "answered")

    async def during(self, work: Awaitable[T]) -> T:
        """The result of the work, unless the leg is taken away before: then an `Interruption`."""
        task = asyncio.ensure_future(work)
        bell = asyncio.ensure_future(self._interrupted.wait())
        try:
            await asyncio.wait({task, bell}, return_when=asyncio.FIRST_COMPLETED)
            cause = self._pending
            if cause is not None:
                self._take(cause)
                raise cause
            return task.result()
        finally:
            bell.cancel()
            task.cancel()

    def _take(self, cause: Interruption) -> None:
        if not isinstance(cause, LegOver):
            self._pending = None
            self._interrupted.clear()

    async def wait(self, seconds: float) -> None:
        """Carrier time passes (not scaled)."""
        await self.during(asyncio.sleep(max(0.0, seconds)))

    async def wait_lifelike(self, seconds: float) -> None:
        """People's time passes: shorter by the scenario's speed."""
        await self.wait(seconds / self.call.scenario.speed)

    async def run(self, source: Source) -> None:
        """Run everything from this document on, through all redirects, until nothing is left to do."""
        todo: Turn = source
        resume_at: float | None = None
        loop = asyncio.get_running_loop()
        while todo not in (Flow.HANG_UP, Flow.EXHAUSTED):
            try:
                if resume_at is not None:
                    await self.wait(resume_at - loop.time())
                    resume_at = None
                todo = await self.interpret(self, todo)
            except Redirected as turn:
                todo, resume_at = turn.source, turn.at + self.call.scenario.redirect_fetch_s
            except LegOver:
                return
