"""The bridge from async code to the ORM."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync
from django.db import InterfaceError, InternalError, OperationalError, connections

from callops.core.precedence import stand_aside
from callops.core.queued_sqlite3.turns import patiently

P = ParamSpec("P")
T = TypeVar("T")

AGAIN_S = 1.0

AWAY = (OperationalError, InterfaceError, InternalError)
"""What the ORM raises while the database is away, full, or had to end a transaction, also one that stood still for too
long because its process did (25P03): trying again may help."""

logger = logging.getLogger(__name__)


def in_db(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """`await in_db(work)(…)` runs `work` in a worker thread, on a connection of that thread.

    This is the only way from async code to the ORM: a bare `await Model.objects.aget()` in a consumer or in an
    engine task keeps its connection for ever. Calls run side by side (`thread_sensitive=False`), so one slow
    query holds nobody up.
    """
    return cast(Callable[P, Coroutine[Any, Any, T]], _OnAConnection(work, thread_sensitive=False))


def in_db_patiently(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """As `in_db`, for short work that nobody waits for: on one event loop one such work is done after another, when
    nothing goes first (`precedence`), so that they do not take the interpreter from what somebody waits for; and on
    SQLite, where one writes at a time, all others go first for a while.
    """
    return cast(Callable[P, Coroutine[Any, Any, T]], _Patiently(work, thread_sensitive=False))


def in_db_at_last(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """As `in_db`, and tried again every second while the database is away.

    For work in one transaction that may be done twice: a commit whose answer was lost is repeated.
    """

    async def patiently(*args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return await in_db(work)(*args, **kwargs)
            except AWAY as error:
                logger.warning("The database is away; trying again. (%s)", error)
            await asyncio.sleep(AGAIN_S)

    return patiently


def is_cut_off(error: BaseException) -> bool:
    """Whether the server itself could not be reached or ended the connection (SQLSTATE 08, 57 or none at all)."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, AWAY) and (state is None or state[:2] in {"08", "57"})


class _OnAConnection(SyncToAsync[..., Any]):
    """Work between two moments at which no connection is left in a bad state."""

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        _let_go()
        try:
            return super().thread_handler(loop, *args, **kwargs)  # type: ignore[no-untyped-call]
        finally:
            _let_go()


_one_by_one: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class _Patiently(_OnAConnection):
    """Work for which nobody waits."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        async with _one_by_one.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await stand_aside()
            return await super().__call__(*args, **kwargs)

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        with patiently():
            return super().thread_handler(loop, *args, **kwargs)


def _let_go() -> None:
    """One of the pool is given back; a healthy one to a SQLite file stays open for the next work of this thread.

    Opening a SQLite file costs Django about a millisecond. The threads are the event loop's own few, which live as
    long as it does, so what is kept is few and is closed with them (`CONN_MAX_AGE` 0 is about requests' threads).
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.errors_occurred or not connection.get_autocommit():
            connection.close_if_unusable_or_obsolete()
