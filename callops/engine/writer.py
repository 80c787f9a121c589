"""One writer for all sidebands of a process: what many calls have read goes into one transaction, round after round.

A call has at most one batch in the writer's hands, so its order is kept. Nothing is dropped: a batch waits with its
keeper until it is durable or its lease is lost, and an attachment whose batch waits stops reading its socket when it
holds too much.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Protocol
from zlib import crc32

from django.db import DatabaseError, DataError, IntegrityError

from callops.core import counters
from callops.core.database import AWAY, in_db
from callops.core.precedence import stand_aside
from callops.sideband import batches
from callops.sideband.batches import BEHIND, Batch
from callops.sideband.journal import LeaseLost

logger = logging.getLogger(__name__)

BEHIND_S = 2.0
GATHER_S = 0.06
"""From the beginning of a round to that of the next, while writing is quick."""
UNWATCHED_S = 0.4
"""About so long what is said on a call that nobody watches waits for a round: the more there is, the less it costs."""
GATHER_AT_MOST_S = 0.1
REST = 2
"""A round may take half of the time until the next begins: the longer writing takes, the more goes into one."""


class Source(Protocol):
    """Who has something to be written: one sideband's keeper."""

    @property
    def call_id(self) -> str:
        """Whose call it is."""

    @property
    def events(self) -> int:
        """How many events wait."""

    def give(self) -> Batch | None:
        """What is to be written now; None: nothing, or it is being written."""

    def came_back(self, error: Exception | None) -> None:
        """The batch that was given is durable, or why it is not: `LeaseLost`, or the database's error."""


Given = tuple[Source, Batch]

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Writes under one owner's leases; works only while something waits.

    `watched`: the ids of the calls that somebody watches; None: all of them.
    """

    def __init__(self, *, owner: str, clock: Callable[[], datetime], watched: Container[str] | None = None) -> None:
        self._owner = owner
        self._clock = clock
        self._watched = watched
        self._due: dict[Source, float] = {}
        """From when on a source is asked, by the loop's clock."""
        self._hurried: dict[Source, None] = {}
        self._sooner = asyncio.Event()
        self._next_at = self._sleeps_until = 0.0
        self._working: asyncio.Task[None] | None = None
        self._failed = False
        _writers.add(self)

    def call_for(self, source: Source, *, at_once: bool = False) -> None:
        """The source is asked for what it has in the next round, or in a later one when nobody watches its call;
        `at_once`: as soon as the round that runs is over.
        """
        if at_once:
            self._hurried[source] = None
            self._sooner.set()
        elif source not in self._due:
            self._due[source] = due_at = self._due_at(source)
            if due_at < self._sleeps_until:
                self._sooner.set()
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    def _due_at(self, source: Source) -> float:
        """Each call that nobody watches waits a time of its own, so that not all of them are written together."""
        now = asyncio.get_running_loop().time()
        if self._watched is None or source.call_id in self._watched:
            return now
        return now + UNWATCHED_S * (0.75 + crc32(source.call_id.encode()) / 2**33)

    async def _work(self) -> None:
        """Round after round: what arrives while one is being written goes into the next."""
        while self._due or self._hurried:
            called, is_round = await self._called()
            given = [(each, batch) for each in called if (batch := _given_by(each)) is not None]
            if not given:
                continue
            begun = self._clock()
            written = await self._write(given)
            took_s = (self._clock() - begun).total_seconds()
            if is_round:
                self._rest(took_s)
            if written and (self._failed or took_s > BEHIND_S):
                await self._own_up(f"{len(given)} batches took {took_s:.1f} s")
            self._failed = not written

    async def _called(self) -> tuple[Sequence[Source], bool]:
        """Everybody who is due, once it is time for a round; before that, those for whom somebody waits. Whether it is
        a round.
        """
        loop = asyncio.get_running_loop()
        while not self._hurried and (begins_at := max(self._next_at, min(self._due.values()))) > loop.time():
            self._sooner.clear()
            self._sleeps_until = begins_at
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(begins_at):
                    await self._sooner.wait()
        if not self._hurried:
            await stand_aside()
        called, self._hurried = self._hurried, {}
        now = loop.time()
        is_round = now >= self._next_at
        if is_round:
            called |= dict.fromkeys(source for source, due_at in self._due.items() if due_at <= now)
            self._next_at = now + GATHER_S
        for source in called:
            self._due.pop(source, None)
        return list(called), is_round

    def _rest(self, took_s: float) -> None:
        """The next round begins the later, the longer this one took."""
        rest_s = min(took_s * (REST - 1), GATHER_AT_MOST_S)
        self._next_at = max(self._next_at, asyncio.get_running_loop().time() + rest_s)

    async def _write(self, given: Sequence[Given]) -> bool:
        """All together; if the database finds fault with what is in one, each by itself. Whether any was written."""
        try:
            lost = await in_db(batches.save)([batch for _, batch in given], owner=self._owner, now=self._clock())
        except Exception as error:  # whatever it is, those who gave are told, and decide
            if isinstance(error, (DataError, IntegrityError)) and len(given) > 1:
                return any([await self._write([one]) for one in given])
            for source, _ in given:
                _tell(source, error)
            return False
        for source, batch in given:
            left_out = LeaseLost(f"session {batch.session_id}") if batch.session_id in lost else None
            _tell(source, left_out)
        return True

    async def _own_up(self, reason: str) -> None:
        """That the database was slow or away is counted, once it can be."""
        try:
            await in_db(counters.bump)(BEHIND, self._clock(), reason)
        except (DatabaseError, *AWAY):
            logger.exception("That the writer was behind could not be counted.")


def _given_by(source: Source) -> Batch | None:
    """What it gives; one that fails holds up nobody else, and is told why."""
    try:
        return source.give()
    except Exception as error:
        logger.exception("A sideband could not say what is to be kept.")
        _tell(source, error)
        return None


def _tell(source: Source, error: Exception | None) -> None:
    """What became of its batch; one that fails on it holds up nobody else."""
    try:
        source.came_back(error)
    except Exception:
        logger.exception("A sideband failed on what became of its batch.")


def waiting() -> tuple[int, int]:
    """What waits for the writers of this process: sidebands, and the events in them."""
    called = [source for writer in list(_writers) for source in {**writer._due, **writer._hurried}]
    return len(called), sum(source.events for source in called)
