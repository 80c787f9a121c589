"""What one socket gave is kept batch after batch, whatever the database says in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import InterfaceError, OperationalError

from callops.engine import keeper as module
from callops.engine.folding import Folder, Taken
from callops.engine.keeper import Keeper
from callops.engine.writer import Source
from callops.sideband.batches import Batch
from callops.sideband.journal import LeaseLost

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Refusing:
    """A writer that refuses what it is given first, so many times."""

    def __init__(self, times: int = 1) -> None:
        self.refusing = times
        self.kept: list[Batch] = []

    def call_for(self, source: Source, *, at_once: bool = False) -> None:
        asyncio.get_running_loop().call_soon(self._write, source)

    def _write(self, source: Source) -> None:
        batch = source.give()
        if batch is not None and self.refusing:
            self.refusing -= 1
            source.came_back(OperationalError("deadlock detected"))
        elif batch is not None:
            self.kept.append(batch)
            source.came_back(None)


def frames(batches: Sequence[Batch]) -> list[bytes]:
    return [raw for batch in batches for _, raw in batch.frames]


async def test_what_was_heard_while_a_batch_was_refused_is_kept_with_the_next_try() -> None:
    folder = Folder(session_id=1, call_id="call-1", position_base=0)
    writer, told = Refusing(), list[Taken]()
    keeper = Keeper(folder, writer, kept=told.append)
    folder.take(b'{"type":"session.created"}', NOW)
    with pytest.raises(OperationalError):
        await keeper.flush()
    folder.take(b'{"type":"session.updated"}', NOW)

    await keeper.flush()

    assert frames(writer.kept) == [b'{"type":"session.created"}', b'{"type":"session.updated"}']
    assert [taken.batch for taken in told] == writer.kept
    assert not folder.has_news


async def test_what_was_heard_before_a_socket_closed_is_kept_however_long_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SAVE_AGAIN_S", 0.0)
    folder, writer = Folder(session_id=1, call_id="call-1", position_base=0), Refusing(times=5)
    keeper = Keeper(folder, writer, kept=lambda taken: None)
    folder.take(b'{"type":"session.created"}', NOW)

    await keeper.flush_at_last()

    assert frames(writer.kept) == [b'{"type":"session.created"}']


async def test_what_is_heard_is_kept_by_itself_also_after_the_database_refused_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SAVE_AGAIN_S", 0.0)
    folder, writer, told = Folder(session_id=1, call_id="call-1", position_base=0), Refusing(), asyncio.Queue[Taken]()
    keeper = Keeper(folder, writer, kept=told.put_nowait)

    for raw in (b'{"type":"session.created"}', b'{"type":"session.updated"}'):
        folder.take(raw, NOW)
        assert keeper.heard()
        await asyncio.wait_for(told.get(), 10)

    assert frames(writer.kept) == [b'{"type":"session.created"}', b'{"type":"session.updated"}']


async def test_a_keeper_whose_sideband_another_holds_says_that_it_is_over() -> None:
    folder, writer = Folder(session_id=1, call_id="call-1", position_base=0), Refusing()
    keeper = Keeper(folder, writer, kept=lambda taken: None)
    folder.take(b'{"type":"session.created"}', NOW)
    keeper.give()

    keeper.came_back(LeaseLost("session 1"))

    assert keeper.is_over


async def test_bug_a_connection_that_was_closed_under_it_does_not_end_a_keeper() -> None:
    folder, writer = Folder(session_id=1, call_id="call-1", position_base=0), Refusing()
    keeper = Keeper(folder, writer, kept=lambda taken: None)
    folder.take(b'{"type":"session.created"}', NOW)
    keeper.give()

    keeper.came_back(InterfaceError("the connection is closed"))

    assert not keeper.is_over


async def test_a_keeper_that_keeps_again_is_over_no_more() -> None:
    folder, writer = Folder(session_id=1, call_id="call-1", position_base=0), Refusing()
    keeper = Keeper(folder, writer, kept=lambda taken: None)
    folder.take(b'{"type":"session.created"}', NOW)
    keeper.give()
    keeper.came_back(ValueError("once"))
    keeper.give()

    keeper.came_back(None)

    assert not keeper.is_over
