"""One writer for many sidebands: together, in order, and nobody's fault is anybody else's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from callops.core import clock, counters, precedence
from callops.core.database import in_db
from callops.core.models import Counter
from callops.engine import writer as module
from callops.engine.writer import Writer
from callops.sideband import batches
from callops.sideband.batches import Batch
from callops.sideband.journal import LeaseLost
from tests.waiting import MAY_TAKE_S, a_while

pytestmark = pytest.mark.django_db(transaction=True)


def batch_of(session_id: int) -> Batch:
    return Batch(session_id=session_id, call_id=f"call-{session_id}", first=0, frames=[(0, b"{}")])


class Database:
    """Takes batches as `batches.save` does, and finds fault with what it is told to."""

    def __init__(self, *, lost: Collection[int] = (), unfit: Collection[int] = (), away: int = 0) -> None:
        self.rounds: list[list[int]] = []
        self._lost, self._unfit, self._away = set(lost), set(unfit), away

    def save(self, taken: Collection[Batch], *, owner: str, now: datetime) -> set[int]:
        ids = [batch.session_id for batch in taken]
        self.rounds.append(ids)
        if self._away:
            self._away -= 1
            raise OperationalError("the server closed the connection")
        if self._unfit & set(ids):
            raise IntegrityError("one of these cannot be")
        return self._lost & set(ids)


class Once:
    """A sideband that has one batch."""

    events = 1

    def __init__(self, session_id: int) -> None:
        self.call_id = f"call-{session_id}"
        self._batch: Batch | None = batch_of(session_id)
        self.became: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    @property
    def was_asked(self) -> bool:
        return self._batch is None

    def give(self) -> Batch | None:
        batch, self._batch = self._batch, None
        return batch

    def came_back(self, error: Exception | None) -> None:
        self.became.set_result(error)


class Broken(Once):
    """A sideband that cannot say what it has."""

    def give(self) -> Batch | None:
        raise ValueError("this cannot be folded")


async def keep(writer: Writer, *session_ids: int, beside: Sequence[Once] = ()) -> list[type | None]:
    """What became of each batch: nothing, or the kind of its error."""
    sources = [*(Once(session_id) for session_id in session_ids), *beside]
    for source in sources:
        writer.call_for(source)
    kept = [await source.became for source in sources]
    return [None if error is None else type(error) for error in kept]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    def used(database: Database) -> Database:
        monkeypatch.setattr(batches, "save", database.save)
        return database

    return used


async def test_what_comes_together_is_written_together(use) -> None:
    database = use(Database())

    assert await keep(Writer(owner="engine-1", clock=clock.now), 1, 2, 3) == [None, None, None]
    assert database.rounds == [[1, 2, 3]]


async def test_who_lost_the_lease_is_told_and_the_others_are_kept(use) -> None:
    use(Database(lost=[2]))

    assert await keep(Writer(owner="engine-1", clock=clock.now), 1, 2, 3) == [None, LeaseLost, None]


async def test_a_batch_that_cannot_be_written_takes_no_other_with_it(use) -> None:
    use(Database(unfit=[2]))

    assert await keep(Writer(owner="engine-1", clock=clock.now), 1, 2, 3) == [None, IntegrityError, None]


async def test_a_sideband_that_cannot_say_what_it_has_holds_up_no_other(use) -> None:
    use(Database())
    writer = Writer(owner="engine-1", clock=clock.now)

    assert await keep(writer, 1, 2, beside=[Broken(3)]) == [None, None, ValueError]
    assert await keep(writer, 1) == [None]


async def test_what_somebody_waits_for_is_written_before_the_next_round_and_by_itself(use) -> None:
    database = use(Database())
    writer = Writer(owner="engine-1", clock=clock.now)
    await keep(writer, 1)
    slow, awaited = Once(2), Once(3)

    writer.call_for(slow)
    writer.call_for(awaited, at_once=True)
    await awaited.became

    assert not slow.became.done()
    assert await slow.became is None
    assert database.rounds == [[1], [3], [2]]


async def test_a_round_stands_aside_for_what_goes_first_and_what_somebody_waits_for_does_not(
    use, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, urgent, other = use(Database()), Once(1), Once(2)
    monkeypatch.setattr(precedence, "MOMENT_S", 10 * MAY_TAKE_S)
    with precedence.first():
        Writer(owner="engine-1", clock=clock.now).call_for(urgent, at_once=True)
        assert await asyncio.wait_for(urgent.became, MAY_TAKE_S) is None
        Writer(owner="engine-1", clock=clock.now).call_for(other)
        await a_while()
        assert not other.was_asked

    assert await asyncio.wait_for(other.became, MAY_TAKE_S) is None
    assert database.rounds == [[1], [2]]


async def test_what_is_said_on_a_call_that_nobody_watches_waits_for_a_later_round(use) -> None:
    database = use(Database())
    writer = Writer(owner="engine-1", clock=clock.now, watched={"call-2"})
    unwatched, watched = Once(1), Once(2)

    writer.call_for(unwatched)
    writer.call_for(watched)
    await watched.became

    assert not unwatched.became.done()
    assert await asyncio.wait_for(unwatched.became, 10) is None
    assert database.rounds == [[2], [1]]


async def test_whoever_waits_for_a_call_that_nobody_watches_does_not_wait_for_its_round(
    use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNWATCHED_S", 3600.0)
    use(Database())
    writer, source = Writer(owner="engine-1", clock=clock.now, watched=()), Once(1)

    writer.call_for(source)
    await asyncio.sleep(0)
    writer.call_for(source, at_once=True)

    assert await asyncio.wait_for(source.became, 10) is None


async def test_a_database_that_is_away_is_told_to_all_and_counted_once_it_is_back(use) -> None:
    use(Database(away=1))
    writer = Writer(owner="engine-1", clock=clock.now)

    assert await keep(writer, 1, 2) == [OperationalError, OperationalError]
    assert await keep(writer, 1, 2) == [None, None]
    await keep(writer, 3)

    assert (await in_db(Counter.objects.get)(name=batches.BEHIND)).count == 1


async def test_bug_a_connection_closed_while_it_owns_up_does_not_stop_the_writer(
    use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Database(away=1))
    writer, late = Writer(owner="engine-1", clock=clock.now), Once(3)

    def closed(*_: object) -> None:
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr(counters, "bump", closed)
    await keep(writer, 1)
    await keep(writer, 2)
    writer.call_for(late)  # while the writer still tries to count that it was behind

    assert await asyncio.wait_for(late.became, 10) is None


async def test_a_slow_database_is_counted(use) -> None:
    use(Database())
    hours = itertools.count()
    writer = Writer(owner="engine-1", clock=lambda: clock.now() + timedelta(hours=next(hours)))

    await keep(writer, 1)
    await keep(writer, 2)

    assert (await in_db(Counter.objects.get)(name=batches.BEHIND)).count >= 1


async def test_what_waits_is_told_in_batches_and_events(use) -> None:
    use(Database())
    batches_before, events_before = module.waiting()
    writer, sources = Writer(owner="engine-1", clock=clock.now), [Once(1), Once(2)]
    for source in sources:
        writer.call_for(source)

    assert module.waiting() == (batches_before + 2, events_before + 2)
    for source in sources:
        await source.became
    assert module.waiting() == (batches_before, events_before)
