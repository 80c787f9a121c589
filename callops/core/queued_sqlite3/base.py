"""SQLite as Django drives it, but a process's own threads wait for each other here instead of in SQLite.

One transaction writes at a time. Who finds the file busy sleeps and looks again, after up to a tenth of a second and in
no order, so that under load the wait is mostly sleep. Here the next one is woken when the one before it is done, and
work for which nobody waits goes last (`turns.patiently`); only other processes are waited for in SQLite's way. Who
cannot have a turn within the connection's `timeout` asks SQLite all the same, and gets its answer.
"""

from __future__ import annotations

import threading
from typing import Any

from django.db.backends.sqlite3 import base

from callops.core.queued_sqlite3.turns import Turns

DEFAULT_TIMEOUT_S = 5.0
"""SQLite's own in Python, when the settings name none."""

_turns: dict[str, Turns] = {}
_making = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        if not self._has_turn:
            wait_s = self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT_S)
            self._has_turn = self._turn.acquire(wait_s)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._next_one()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._next_one()  # a commit that failed is followed by a rollback

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._next_one()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._next_one()

    @property
    def _turn(self) -> Turns:
        """The queue of this file."""
        with _making:
            return _turns.setdefault(str(self.settings_dict["NAME"]), Turns())

    def _next_one(self) -> None:
        """Whoever waits may write."""
        if self._has_turn:
            self._has_turn = False
            self._turn.release()
