"""One engine process in steps: what it would start at a look, and where each of its coroutines waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from callops.core import clock
from callops.engine import carrier, deadlines
from callops.engine.moving import Mover
from callops.transfers import steps
from callops.transfers.models import TransferAttempt
from tests.rows import NOON
from tests.street.jobs import Exchange, Providers, Seam, Work, process, turning

PROVIDERS: Any = Providers()
Begin = Callable[["Engine"], Coroutine[Any, Any, None]]


class Engine:
    """What one process has under way; it dies as a whole.

    Everything it was told is logged, so that the same process can be brought to the same place again.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.now: datetime = NOON
        self.seams: dict[int, Seam] = {}
        self.mover = Mover(PROVIDERS, clock=lambda: self.now)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._log: list[Callable[[Engine], None]] = []
        self._opened = 0

    def wanted(self, now: datetime) -> dict[str, Begin]:
        """The jobs a look would start now (as `callops.engine.engine` does), by name."""
        wanted: dict[str, Begin] = {}
        for attempt_id in steps.due_attempts(now):
            wanted[f"move {_place(attempt_id)}"] = _move(attempt_id)
        for call_id in carrier.questions(now):
            wanted["check"] = _check(call_id)
        for call_id in deadlines.wished_ends(now):
            wanted["end"] = _end(call_id)
        return {name: begin for name, begin in wanted.items() if name not in self._running}

    def look(self, now: datetime) -> None:
        """Everything due is a job of its own; webhooks that stay away are noted."""
        with clock.standing_at(now):
            deadlines.missing_webhooks(now)
        for name, begin in self.wanted(now).items():
            self._tell(partial(Engine._start, name=name, begin=begin, now=now))

    def work(self, number: int, now: datetime) -> None:
        """The waiting transaction is run and committed."""
        work = self.seams[number].what
        assert isinstance(work, Work)
        with clock.standing_at(now):
            try:
                value = work.run(*work.args, **work.kwargs)
            except Exception as error:
                self.answer(number, now, error)
            else:
                self.answer(number, now, value)

    def answer(self, number: int, now: datetime, told: Any) -> None:
        """The coroutine goes on with this answer, or error, to its next seam."""
        self._tell(partial(Engine._answer, number=number, now=now, told=told))

    def open(self, job: str, what: Work | Exchange) -> asyncio.Future[Any]:
        """A coroutine of this process waits here."""
        self._opened += 1
        future = turning().loop.create_future()
        self.seams[self._opened] = Seam(self._opened, job, what, future)
        return future

    def die(self) -> None:
        """Nothing of it is left but what it committed and what it sent."""
        for seam in self.seams.values():
            seam.future.cancel()
        self.seams.clear()
        turning().turn()
        self.seams.clear()

    def again(self) -> Engine:
        """The same process at the same place, independent of this one."""
        copy = Engine(self.name)
        for told in self._log:
            copy._tell(told)
        for number, seam in self.seams.items():
            if isinstance(seam.what, Exchange):
                copy.seams[number].what = replace(seam.what)
        return copy

    def _tell(self, told: Callable[[Engine], None]) -> None:
        self._log.append(told)
        told(self)
        turning().turn()
        self._running = {name: task for name, task in self._running.items() if not task.done()}

    def _start(self, name: str, begin: Begin, now: datetime) -> None:
        self.now = now
        token = process.set((self, name))
        self._running[name] = turning().start(begin(self))
        process.reset(token)

    def _answer(self, number: int, now: datetime, told: Any) -> None:
        self.now = now
        future = self.seams.pop(number).future
        if isinstance(told, Exception):
            future.set_exception(told)
        else:
            future.set_result(told)


def _move(attempt_id: str) -> Begin:
    return lambda engine: engine.mover.advance(attempt_id)


def _check(call_id: str) -> Begin:
    return lambda engine: carrier.ask(PROVIDERS, call_id, now=engine.now)


def _end(call_id: str) -> Begin:
    return lambda engine: deadlines.end(PROVIDERS, call_id, now=engine.now)


def _place(attempt_id: str) -> int:
    """Which transfer of the call this is, counted from 1."""
    known = list(TransferAttempt.objects.order_by("requested_at").values_list("pk", flat=True))
    return known.index(attempt_id) + 1
