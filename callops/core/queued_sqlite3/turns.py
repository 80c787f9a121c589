"""Whose turn it is to write: first come, first served, but those who are patient let the others go first."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

PATIENCE_S: Final = 0.1
"""Who is patient lets others go first for so long; then it is as everybody else."""


class _Here(threading.local):
    patient = False


_here = _Here()


@contextlib.contextmanager
def patiently() -> Iterator[None]:
    """This thread's transactions that begin in here let those for which somebody waits go first."""
    before, _here.patient = _here.patient, True
    try:
        yield
    finally:
        _here.patient = before


class _Waiter:
    """One thread that waits."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.has_turn = False
        self._called = threading.Lock()
        self._called.acquire()

    def wait(self, timeout_s: float) -> None:
        """Until it is called, or so long."""
        self._called.acquire(timeout=timeout_s)

    def call(self) -> None:
        """It has the turn."""
        self.has_turn = True
        self._called.release()


class Turns:
    """One turn at a time."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._first: deque[_Waiter] = deque()
        self._patient: deque[_Waiter] = deque()

    def acquire(self, timeout_s: float) -> bool:
        """Whether this thread has the turn now, after waiting for it at most so long."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            queue = self._patient if _here.patient else self._first
            waiter = _Waiter()
            queue.append(waiter)
        waiter.wait(timeout_s)
        with self._mutex:
            if not waiter.has_turn:
                queue.remove(waiter)
            return waiter.has_turn

    def release(self) -> None:
        """The next one has the turn."""
        with self._mutex:
            queue = self._next_queue()
            self._taken = bool(queue)
            if queue:
                queue.popleft().call()

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._taken

    def _next_queue(self) -> deque[_Waiter]:
        if not self._first or not self._patient:
            return self._first or self._patient
        has_waited_s = time.monotonic() - self._patient[0].since
        longest = self._patient[0].since < self._first[0].since
        return self._patient if longest and has_waited_s > PATIENCE_S else self._first
