"""One hub per process: it hears which calls changed, and hands every browser what is new on what it watches.

Notifications carry ids only and may be lost: once a second the hub looks by itself, with one query for all
watched calls and a few for the board.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from callops.alerts.watching import look_in_turn
from callops.core import notify, watched
from callops.core.clock import now
from callops.core.database import AWAY, in_db, in_db_patiently
from callops.core.precedence import stand_aside
from callops.dashboard import call_page, fragments
from callops.dashboard.outbox import Outbox
from callops.dashboard.sifting import ALL, Sift
from callops.dashboard.talking import refresh_all
from callops.dashboard.topics import BoardTopic, CallTopic
from callops.people.sessions import living
from callops.people.standing import Scope, standings
from callops.supervision import presence

logger = logging.getLogger(__name__)

GATHER_S = 0.01
"""What changed within so long goes out together."""
COALESCE_S = 0.05
"""From the beginning of a reading to that of the next, while reading is quick."""
REST = 1
"""A reading is followed by a pause of so many times what it took: the more there is to say, the rarer it is said."""
BOARD_COALESCE_S = 0.5
"""Every live call is on the board, and its row changes with every word: it is read and rendered less often."""
BOARD_REST = 1
"""What is rested for is mostly between the portions of a reading already (`BoardTopic.refresh`)."""
LOOK_S = 1.0
BEAT_S = 10.0
PEOPLE_S = 2.0
"""Who is removed, or may do less, watches for so long at most."""
NOT_SIGNED_IN = 4401
RESTARTING = 4012
"""Close code for "come back": the private twin of 1012, which the web server does not let applications send."""


class Hub:
    """Sockets join and leave; `run` serves them until `stop`. A socket that finds it not running starts it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._begin()

    def _begin(self) -> None:
        self._calls: dict[str, CallTopic] = {}
        self._boards: dict[tuple[Scope, Sift], BoardTopic] = {}
        self._house: list[str] = []
        self._is_away = False
        self._dirty: set[str] = set()
        self._dirty_rows: set[str] = set()
        self._next_at = self._board_took_s = 0.0
        self._wake = asyncio.Event()
        self._wake_board = asyncio.Event()

    async def run(self) -> None:
        """Serve the sockets until told to stop."""
        self.ensure_running()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ensure_running(self) -> None:
        """The hub works on the running event loop, started anew when it was not."""
        loop = asyncio.get_running_loop()
        if self._loop is loop and self._tasks:
            return
        self._begin()
        self._loop = loop
        self._tasks = [
            loop.create_task(work)
            for work in (
                self._listen(),
                self._again("flush", self._flush),
                self._again("flush the board", self._flush_board),
                self._again("look", self._look),
                self._again("beat", self._beat),
                self._again("check people", self._check_people),
            )
        ]

    async def stop(self) -> None:
        """Every socket is told to come back, and nothing works any more."""
        tasks, self._tasks = self._tasks, []
        for outbox in self._outboxes():
            outbox.close(RESTARTING)
        for task in tasks:
            task.cancel()
        if self._loop is asyncio.get_running_loop():
            await asyncio.gather(*tasks, return_exceptions=True)
        self._loop = None

    async def join_board(self, outbox: Outbox, sift: Sift = ALL) -> None:
        """The browser watches the board, sifted so, from now on."""
        self.ensure_running()
        scope = outbox.standing.scope
        await self._boards.setdefault((scope, sift), BoardTopic(scope, sift)).join(outbox)
        self._tell(outbox, self._house)

    async def join_call(self, call_id: str, outbox: Outbox, *, seq: int, rev: int) -> bool:
        """The browser watches the call from now on; False when there is no such call."""
        self.ensure_running()
        topic = self._calls.setdefault(call_id, CallTopic(call_id))
        topic.joining += 1
        try:
            joined = await topic.join(outbox, seq, rev)
            await watched.say([call_id] if joined else [])
            self._tell(outbox, self._house)
            return joined
        finally:
            topic.joining -= 1
            self._forget_unwatched(topic)

    async def catch_up(self, outbox: Outbox) -> None:
        """A browser that fell behind gets the whole picture of what it watches."""
        for topic in self._topics():
            if outbox in topic.outboxes:
                await topic.catch_up(outbox)
                self._tell(outbox, self._house)
                return

    async def beat(self) -> None:
        """Browsers hear from us even when nothing happens."""
        light = await in_db(fragments.light)()
        await in_db_patiently(self._still_here)()
        for outbox in self._outboxes():
            outbox.put(light)

    async def check_people(self) -> None:
        """Sockets of people who may see no more are closed; who may more or less than before has to come back."""
        watching = self._outboxes()
        if not watching:
            return
        standing = await in_db(standings)({outbox.user_id for outbox in watching})
        sessions = await in_db(living)({outbox.session for outbox in watching} - {""}, now())
        for outbox in watching:
            known = standing.get(outbox.user_id)
            if known is None or (outbox.session and outbox.session not in sessions):
                outbox.close(NOT_SIGNED_IN)
            elif known != outbox.standing:
                outbox.close(RESTARTING)

    def _still_here(self) -> None:
        """Who has a call's page open is said anew, before it is forgotten."""
        here = {(pk, outbox.name) for pk, topic in self._calls.items() for outbox in topic.outboxes if outbox.name}
        for call_id, who in sorted(here):
            presence.here(call_id, who, now=now())

    def leave(self, outbox: Outbox) -> None:
        """The browser watches nothing any more."""
        for board in list(self._boards.values()):
            board.outboxes.discard(outbox)
            if not board.outboxes and not board.lock.locked():
                self._boards.pop((board.scope, board.sift), None)
        for topic in list(self._calls.values()):
            topic.outboxes.discard(outbox)
            self._forget_unwatched(topic)

    def _forget_unwatched(self, topic: CallTopic) -> None:
        if not topic.outboxes and not topic.joining and self._calls.get(topic.call_id) is topic:
            del self._calls[topic.call_id]

    def _outboxes(self) -> list[Outbox]:
        return [outbox for topic in self._topics() for outbox in topic.outboxes]

    def _topics(self) -> list[BoardTopic | CallTopic]:
        return [*self._boards.values(), *self._calls.values()]

    async def _listen(self) -> None:
        async with notify.subscribe(talk=True) as changes:
            async for call_id in changes:
                self._dirty.add(call_id)
                self._wake.set()
                if self._boards:
                    self._dirty_rows.add(call_id)
                    self._wake_board.set()

    async def _again(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work for ever; a failure is logged, and what it missed is found by the next look."""
        while True:
            try:
                await work()
            except AWAY as error:
                logger.warning("The hub could not %s; it tries again. (%s)", name, error)
                self._say_away()
                await asyncio.sleep(LOOK_S)
            except Exception:  # a database that is away for a moment must not end the live pages
                logger.exception("The hub could not %s; it tries again.", name)
                await asyncio.sleep(LOOK_S)

    def _say_away(self) -> None:
        """Every browser is told that its page cannot be kept up to date, once."""
        if not self._is_away:
            self._is_away = True
            for outbox in self._outboxes():
                outbox.put(fragments.light_away())

    def _say_back(self) -> None:
        """And that it is again."""
        if self._is_away:
            self._is_away = False
            for outbox in self._outboxes():
                outbox.put(fragments.light())

    async def _flush(self) -> None:
        """What changed in a short while goes out together."""
        await self._wake.wait()
        await asyncio.sleep(max(GATHER_S, self._next_at - monotonic()))
        await stand_aside()
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        begun = monotonic()
        await self._refresh(dirty)
        took_s = min(monotonic() - begun, LOOK_S)
        self._next_at = begun + max(COALESCE_S, took_s * (1 + REST))

    async def _flush_board(self) -> None:
        """So do the rows of the board."""
        await self._wake_board.wait()
        await asyncio.sleep(max(BOARD_COALESCE_S, self._board_took_s * BOARD_REST))
        self._wake_board.clear()
        dirty, self._dirty_rows = self._dirty_rows, set()
        begun = monotonic()
        for board in list(self._boards.values()):
            await board.refresh(dirty)
        self._board_took_s = min(monotonic() - begun, LOOK_S)

    async def _look(self) -> None:
        """What we did not hear of is found within a second."""
        await asyncio.sleep(LOOK_S)
        await watched.say(self._calls)
        await self._look_at_the_house()
        self._say_back()
        if self._calls:
            stamps = await in_db_patiently(call_page.stamps)(list(self._calls), now())
            await self._refresh({pk for pk, stamp in stamps.items() if self._differs(pk, stamp)})
        for board in list(self._boards.values()):
            self._dirty_rows |= await board.differing()
        if self._dirty_rows:
            self._wake_board.set()

    async def _look_at_the_house(self) -> None:
        """Every browser has the signs of life and the open troubles, read once for all of them."""
        watching = self._outboxes()
        shown = await in_db_patiently(fragments.house)() if watching else []
        changed = [piece for piece in shown if piece not in self._house]
        self._house = shown
        for outbox in watching:
            self._tell(outbox, changed)

    @staticmethod
    def _tell(outbox: Outbox, pieces: list[str]) -> None:
        outbox.put("\n".join(pieces))

    def _differs(self, call_id: str, stamp: tuple[object, ...]) -> bool:
        topic = self._calls.get(call_id)
        return topic is not None and topic.stamp != stamp

    async def _refresh(self, call_ids: set[str]) -> None:
        await refresh_all([topic for pk, topic in self._calls.items() if pk in call_ids])

    async def _check_people(self) -> None:
        await asyncio.sleep(PEOPLE_S)
        await self.check_people()

    async def _beat(self) -> None:
        await asyncio.sleep(BEAT_S)
        await self.beat()
        await in_db_patiently(look_in_turn)(now())


hub = Hub()
