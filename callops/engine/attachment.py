"""One session's sideband, from attach to the end: read, fold, keep, answer tools, attach again, know when it is over.

A close is a question, not an answer (contract OpenAI 4.3): 404 on re-attach means over, anything else means try again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from callops.core import counters
from callops.core.database import in_db_at_last
from callops.engine import overlap, sessions, tools
from callops.engine.asides import Summary
from callops.engine.ending import Ending, Tries
from callops.engine.errands import Errands
from callops.engine.folding import Folder, Taken
from callops.engine.keeper import Keeper
from callops.engine.outside import Outside
from callops.engine.reading import Reader
from callops.engine.sessions import Served
from callops.engine.writer import Writer
from callops.providers.openai import client_events
from callops.providers.openai.sideband import NotReady, Sideband
from callops.providers.receipt import NoAnswer, ProviderError
from callops.sideband import journal
from callops.sideband.journal import LeaseLost
from callops.sideband.transcript import ToolCall
from callops.supervision import progress
from callops.supervision.progress import Told

logger = logging.getLogger(__name__)

FIRST_PAUSES_S = (0.25, 0.5, 1.0, 2.0)
AGAIN_PAUSES_S = (0.0, 1.0, 2.0)
PLAYBACK_S = 8.0
ERRANDS_MAY_TAKE_S = 2.0
BOTH_HEAR_S = 0.25
LEASE_LOST = "sideband.lease_lost"
"""Counted whenever an engine that still read a sideband found that another one held it."""


class Attachment:
    """Holds one socket until the call is over, the lease is lost, or the process stops."""

    def __init__(
        self,
        served: Served,
        *,
        owner: str,
        outside: Outside,
        clock: Callable[[], datetime],
        writer: Writer | None = None,
        inherits: bool = False,
    ) -> None:
        self._served = served
        self._inherits = inherits
        self._owner = owner
        self._outside = outside
        self._clock = clock
        self._folder = Folder(
            session_id=served.session_id,
            call_id=served.call_id,
            position_base=served.position_base,
            rules=served.rules,
        )
        self._keeper = Keeper(self._folder, writer or Writer(owner=owner, clock=clock), kept=self._act_on)
        self._socket: Sideband | None = None
        self._heard = asyncio.Event()
        self._open = asyncio.Event()
        self._greeting_due = False
        self._stopping = False
        self._was_open = served.was_open
        self._errands = Errands()
        self._ending = Ending(served, owner=owner, outside=outside, clock=clock)

    async def run(self) -> None:
        """The session was served to its end; nothing that was read is lost but by the death of the process."""
        try:
            socket = await self._take_over() if self._inherits else None
            if self._inherits and socket is None:
                return
            if socket is None:
                await self._resume()
            while not self._stopping:
                socket = socket or await self._attach()
                if socket is None:
                    return
                async with socket:
                    await self._serve(socket)
                if not self._stopping:
                    await self._after_drop(socket)
                socket = None
        except LeaseLost:
            logger.info("Another process holds this sideband now.")
            await in_db_at_last(counters.bump)(LEASE_LOST, self._clock(), self._served.call_id)
        finally:
            self._errands.cancel()

    async def stop(self) -> None:
        """The socket is closed and what was read is kept; the call goes on, for another to attach to."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close()

    async def hand_over(self) -> None:
        """An heir hears: what is being answered is answered, both hear for a moment, and then this end stops."""
        await self._errands.rest(within_s=ERRANDS_MAY_TAKE_S)
        await asyncio.sleep(BOTH_HEAR_S)
        await self.stop()

    async def send(self, event: Mapping[str, Any]) -> bool:
        """The event was handed to the open socket; False when there is none."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(event)
        except NoAnswer:
            return False
        return True

    @property
    def is_responding(self) -> bool:
        """Whether the assistant is producing an answer, as far as we heard."""
        return self._folder.responding

    @property
    def is_playing(self) -> bool:
        """Whether the caller hears the assistant, as far as we heard."""
        return self._folder.playing

    @property
    def is_open(self) -> bool:
        """Whether something can be sent now."""
        return self._socket is not None

    async def fell_quiet(self) -> bool:
        """Whether no response runs, after waiting for its end at most as long as a goodbye may take."""
        await self._quiet(lambda: not self.is_responding)
        return not self.is_responding

    def send_when_quiet(self, event: Mapping[str, Any]) -> None:
        """The event is sent once no response runs; never when one still does after as long as a goodbye may take."""
        self._errands.spawn(self._send_when_quiet(event))

    async def _send_when_quiet(self, event: Mapping[str, Any]) -> None:
        if await self.fell_quiet() and not self._folder.paused:
            await self.send(event)

    async def _resume(self) -> None:
        """What a predecessor kept is folded again; what it had not finished was cut off by its end."""
        stored = await in_db_at_last(sessions.stored)(self._served.session_id)
        if not stored:
            return
        self._folder.replay(stored)
        self._folder.close(self._clock())
        await self._keeper.flush_at_last()

    async def _take_over(self) -> Sideband | None:
        """Another's sideband is ours, with all that came meanwhile; None when it did not become so."""
        session_id, asked = self._served.session_id, self._clock()
        inherited = await overlap.take_over(self._served, self._owner, self._outside, self._clock)
        if inherited is None:
            return None
        socket, heard = inherited
        stored = await in_db_at_last(sessions.stored)(session_id)
        self._folder.replay(stored)
        self._folder.catch_up(overlap.unseen(stored, heard))
        await self._greet(socket, asked, unbroken=True)
        self._greeting_due = False
        await self._keeper.flush_at_last()
        return socket

    async def _attach(self) -> Sideband | None:
        """An open socket; None when the session is over or never came alive."""
        started, tries, gone = self._clock(), 0, 0
        while not self._stopping:
            asked = self._clock()
            try:
                socket = await self._outside.sideband(self._served.ai_call_id)
            except NotReady as refusal:
                gone, status = gone + 1, refusal.status
            except ProviderError as error:
                status = getattr(error, "status", None) or 0
                logger.warning("The sideband could not be opened: %s", error)
            else:
                await self._greet(socket, asked)
                return socket
            tries += 1
            if await self._ending.is_over(Tries(started, tries, gone, status), was_open=self._was_open):
                return None
            await asyncio.sleep(self._pause(tries))
        return None

    async def _greet(self, socket: Sideband, asked: datetime, *, unbroken: bool = False) -> None:
        now, session_id = self._clock(), self._served.session_id
        duration_ms = round((now - asked).total_seconds() * 1000)
        try:
            signs = self._folder.open(now, unbroken=unbroken)
            first = await in_db_at_last(journal.opened)(
                session_id, owner=self._owner, at=now, duration_ms=duration_ms, signs=signs
            )
        except LeaseLost:
            await socket.close()
            raise
        self._was_open = True
        self._greeting_due = first

    async def _serve(self, socket: Sideband) -> None:
        """Read until the socket ends; what was read is kept meanwhile, in batches."""
        if self._stopping:
            return
        self._socket = socket
        self._open.set()
        try:
            if self._greeting_due:
                words = {"instructions": self._served.greeting} if self._served.greeting else {}
                await self.send(client_events.response_create(**words))
            await Reader(socket, self._folder, self._keeper, clock=self._clock, heard=self._heard).read()
        finally:
            self._socket = None
            self._open.clear()
            self._heard.set()
            await self._keeper.flush_at_last()

    def _act_on(self, taken: Taken) -> None:
        """What was asked for in a batch is done once the batch is durable."""
        for call in taken.calls:
            self._errands.spawn(self._answer(call))
        for summary in taken.summaries:
            self._errands.spawn(self._hand_over(summary))
        if taken.told:
            self._errands.spawn(self._tell(taken.told))

    async def _tell(self, told: list[Told]) -> None:
        """How far the acts of supervisors got is on their rows and on the timeline."""
        await in_db_at_last(progress.tell)(self._served.session_id, told, now=self._clock())

    async def _hand_over(self, summary: Summary) -> None:
        """What the AI said of the caller is for whoever takes the call."""
        await in_db_at_last(tools.hand_over)(self._served.session_id, summary, now=self._clock())

    async def _answer(self, asked: ToolCall) -> None:
        try:
            reply = await in_db_at_last(tools.run)(self._served.session_id, asked, owner=self._owner, now=self._clock())
        except LeaseLost:  # whoever holds the sideband now answers
            return
        await self._deliver(client_events.function_call_output(asked.call_id, reply.output))
        if reply.speak and not self._folder.paused:
            await self._quiet(lambda: not self._folder.responding)
            await self._deliver(client_events.response_create())
        if reply.end_call:
            await self._quiet(lambda: not (self._folder.playing or self._folder.responding))
            await in_db_at_last(tools.wish_to_end)(self._served.session_id)
            await self._outside.hang_up_ai(self._served.ai_call_id)

    async def _deliver(self, event: Mapping[str, Any]) -> None:
        """The event was handed to the socket, now or when one is open again; the session's end ends the wait."""
        while True:
            await self._open.wait()
            socket = self._socket
            if await self.send(event):
                return
            if self._socket is socket:
                self._open.clear()

    async def _quiet(self, is_quiet: Callable[[], bool]) -> None:
        """Wait until it is so, at most as long as a goodbye may take; the caller hears the words to their end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PLAYBACK_S):
                while not is_quiet() and self._socket is not None:
                    self._heard.clear()
                    await self._heard.wait()

    async def _after_drop(self, socket: Sideband) -> None:
        now = self._clock()
        self._folder.close(now)
        await self._keeper.flush_at_last()
        code, reason = socket.close_code or 1006, socket.close_reason or ""
        session_id = self._served.session_id
        await in_db_at_last(journal.dropped)(session_id, owner=self._owner, at=now, code=code, reason=reason)

    def _pause(self, tries: int) -> float:
        pauses = AGAIN_PAUSES_S if self._was_open else FIRST_PAUSES_S
        return pauses[min(tries, len(pauses)) - 1]
