"""What one socket gave is kept batch after batch, whatever the database says in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from callops.engine.folding import Folder, Taken
from callops.engine.keeper import Keeper
from callops.sideband.batches import Batch

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Refusing:
    """A writer that refuses what it is given first."""

    def __init__(self) -> None:
        self.refusing = True
        self.kept: list[Batch] = []

    async def keep(self, batch: Batch) -> None:
        if self.refusing:
            self.refusing = False
            raise OperationalError("deadlock detected")
        self.kept.append(batch)


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
