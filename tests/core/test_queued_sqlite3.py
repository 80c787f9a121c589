"""Writers of one process take turns, and a turn ends however its transaction does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.utils import OperationalError

from callops.core.queued_sqlite3 import base
from callops.core.queued_sqlite3.base import DatabaseWrapper

pytestmark = pytest.mark.django_db

Made = Callable[[], DatabaseWrapper]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Made]:
    """Another connection to the same file."""
    made: list[DatabaseWrapper] = []
    options = {"transaction_mode": "IMMEDIATE", "timeout": 10, "check_same_thread": False}
    known = {**connections.settings["default"], "NAME": str(tmp_path / "turns.sqlite3"), "OPTIONS": options}

    def another() -> DatabaseWrapper:
        made.append(DatabaseWrapper(known, "default"))
        made[-1].inc_thread_sharing()
        return made[-1]

    yield another
    for one in made:
        one.close()


def begin(connection: DatabaseWrapper) -> None:
    connection.ensure_connection()
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def commit(connection: DatabaseWrapper) -> None:
    connection.commit()
    connection.set_autocommit(True)


def test_who_comes_second_writes_when_the_first_is_done(opened: Made) -> None:
    first, second = opened(), opened()
    begin(first)
    first.cursor().execute("CREATE TABLE said (word TEXT)")
    said: list[str] = []

    def write() -> None:
        begin(second)
        said.extend(row[0] for row in second.cursor().execute("SELECT word FROM said").fetchall())
        commit(second)

    waiting = threading.Thread(target=write)
    waiting.start()
    first.cursor().execute("INSERT INTO said VALUES ('before')")
    assert not second._has_turn
    commit(first)
    waiting.join(30)

    assert said == ["before"]
    assert not base._turns[str(first.settings_dict["NAME"])].locked()


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_a_turn_ends_with_its_transaction(opened: Made, end: str) -> None:
    one = opened()
    begin(one)
    assert base._turns[str(one.settings_dict["NAME"])].locked()

    getattr(one, end)()

    assert not base._turns[str(one.settings_dict["NAME"])].locked()


def test_a_transaction_that_cannot_begin_keeps_no_turn(opened: Made) -> None:
    one = opened()
    begin(one)

    with pytest.raises(OperationalError, match="within a transaction"):
        one._start_transaction_under_autocommit()

    assert not base._turns[str(one.settings_dict["NAME"])].locked()


def test_who_cannot_have_a_turn_in_time_gets_the_answer_of_sqlite(opened: Made) -> None:
    first, second = opened(), opened()
    second.settings_dict["OPTIONS"] = {**second.settings_dict["OPTIONS"], "timeout": 0.01}
    begin(first)
    first.cursor().execute("CREATE TABLE said (word TEXT)")

    with pytest.raises(OperationalError, match="locked"):
        begin(second)
    commit(first)

    begin(second)
    commit(second)
