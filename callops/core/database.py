"""The bridge from async code to the ORM."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from asgiref.sync import SyncToAsync
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


def in_db(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """`await in_db(work)(…)` runs `work` in a worker thread, on a connection of that thread.

    This is the only way from async code to the ORM: a bare `await Model.objects.aget()` in a consumer or in an
    engine task keeps its connection for ever. Calls run side by side (`thread_sensitive=False`), so one slow
    query holds nobody up.
    """
    return cast(Callable[P, Coroutine[Any, Any, T]], _OnAConnection(work, thread_sensitive=False))


class _OnAConnection(SyncToAsync[..., Any]):
    """Work between two moments at which no connection is left in a bad state."""

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        _let_go()
        try:
            return super().thread_handler(loop, *args, **kwargs)  # type: ignore[no-untyped-call]
        finally:
            _let_go()


def _let_go() -> None:
    """One of the pool is given back; a healthy one to a SQLite file stays open for the next work of this thread.

    Opening a SQLite file costs Django about a millisecond. The threads are the event loop's own few, which live as
    long as it does, so what is kept is few and is closed with them (`CONN_MAX_AGE` 0 is about requests' threads).
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.errors_occurred or not connection.get_autocommit():
            connection.close_if_unusable_or_obsolete()
