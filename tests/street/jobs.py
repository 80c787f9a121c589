"""The seams of the engine's own coroutines: before each transaction, and at each question to a provider.

A seam is where a process may die, and where everybody else may come in between. The coroutines run in an event loop of
their own that is turned only while something may go on; transactions are run outside it, when the walk says so.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import callops.engine

if TYPE_CHECKING:
    from tests.street.engine import Engine

EXCHANGE_S = 5.0
TURNS = 12
"""Turns of the loop after which nothing is left to do but wait: a future, its gathering, and who waits for that."""

process: ContextVar[tuple[Engine, str]] = ContextVar("process")
"""The process and the job for which a coroutine runs; its errands inherit both."""


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction that waits to be run."""

    run: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def name(self) -> str:
        return self.run.__name__.lstrip("_")


@dataclass(slots=True)
class Exchange:
    """One request to a provider; `applied` once it took effect there, whatever becomes of its answer."""

    verb: str
    about: tuple[str, ...]
    sent_at: datetime
    applied: bool = False

    @property
    def name(self) -> str:
        return self.verb

    @property
    def lost_at(self) -> datetime:
        """When a question that nobody answered is given up."""
        return self.sent_at + timedelta(seconds=EXCHANGE_S)


@dataclass(slots=True)
class Seam:
    """Where one coroutine of a process waits."""

    number: int
    job: str
    what: Work | Exchange
    future: asyncio.Future[Any]


def in_steps(work: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Stands in for `in_db`: the transaction is handed to the walk, which runs it when it is its turn."""

    async def run(*args: Any, **kwargs: Any) -> Any:
        engine, job = process.get()
        return await engine.open(job, Work(work, args, kwargs))

    return run


class Providers:
    """Stands in for `Outside`: every question waits until the walk answers it."""

    def __getattr__(self, verb: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def ask(*about: str) -> Any:
            engine, job = process.get()
            return await engine.open(job, Exchange(verb, about, engine.now))

        return ask


async def _turn() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Turning:
    """The event loop of all processes of a walk; it stands still unless it is turned."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that will run at the next turn."""
        return self.loop.create_task(work)

    def turn(self) -> None:
        """Everything that could go on did, up to its next seam."""
        self.loop.run_until_complete(_turn())

    def close(self) -> None:
        """Whatever still waited was told that it is over."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.turn()
        self.loop.close()


@contextmanager
def seams(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every transaction of the engine waits until the walk runs it."""
    for module in pkgutil.iter_modules(callops.engine.__path__, "callops.engine."):
        found = importlib.import_module(module.name)
        if hasattr(found, "in_db"):
            monkeypatch.setattr(found, "in_db", in_steps)
    yield
    for turning in _turnings:
        turning.close()
    _turnings.clear()


_turnings: list[Turning] = []


def turning() -> Turning:
    """The loop of this test, made when it is first wanted and closed when the test is over."""
    if not _turnings:
        _turnings.append(Turning())
    return _turnings[0]
