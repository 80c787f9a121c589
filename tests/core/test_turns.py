"""Who writes next: first come, first served, and patient work after everybody else's, for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from callops.core.queued_sqlite3 import turns
from callops.core.queued_sqlite3.turns import Turns, patiently

MAY_TAKE_S = 30.0


class Queue:
    """Threads that wait for one `Turns`, in the order in which they came, and the order in which they had it."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.had: list[str] = []
        self._threads: list[threading.Thread] = []

    def joins(self, name: str, *, patient: bool = False) -> None:
        """One more waits."""
        thread = threading.Thread(target=self._wait_patiently if patient else self._wait, args=(name,))
        self._threads.append(thread)
        waiting = self.waiting
        thread.start()
        until(lambda: self.waiting == waiting + 1)

    def ends(self) -> list[str]:
        """Whoever has the turn is done, and so are all others; in which order they were."""
        self.turns.release()
        for thread in self._threads:
            thread.join(MAY_TAKE_S)
        return self.had

    @property
    def waiting(self) -> int:
        return len(self.turns._first) + len(self.turns._patient)

    def _wait(self, name: str) -> None:
        assert self.turns.acquire(MAY_TAKE_S)
        self.had.append(name)
        self.turns.release()

    def _wait_patiently(self, name: str) -> None:
        with patiently():
            self._wait(name)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + MAY_TAKE_S
    while not condition():
        assert time.monotonic() < end


@pytest.fixture
def queue() -> Iterator[Queue]:
    """One whose turn is taken."""
    made = Queue()
    assert made.turns.acquire(0)
    yield made
    assert not made.turns.locked()


def test_who_came_first_goes_first(queue: Queue) -> None:
    for name in ("first", "second", "third"):
        queue.joins(name)

    assert queue.ends() == ["first", "second", "third"]


def test_who_is_patient_lets_those_go_first_who_came_later(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", MAY_TAKE_S)
    queue.joins("patient", patient=True)
    queue.joins("somebody waits for it")

    assert queue.ends() == ["somebody waits for it", "patient"]


def test_patience_ends(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    queue.joins("patient", patient=True)
    queue.joins("somebody waits for it")

    assert queue.ends() == ["patient", "somebody waits for it"]


def test_who_gave_up_waiting_is_not_called(queue: Queue) -> None:
    assert not queue.turns.acquire(0.01)
    queue.joins("another")

    assert queue.ends() == ["another"]


def test_patience_is_one_thread_s_and_ends_with_its_block() -> None:
    others: list[bool] = []
    with patiently():
        other = threading.Thread(target=lambda: others.append(turns._here.patient))
        other.start()
        other.join(MAY_TAKE_S)
        assert turns._here.patient
    assert (others, turns._here.patient) == ([False], False)
