"""The engine while the database or the channel layer is away: it goes on, and takes nothing from who still reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from channels.layers import channel_layers
from django.db import Error, InterfaceError, OperationalError

from callops.core import beats, clock, timekeeping
from callops.core.database import in_db, is_cut_off
from callops.core.models import Counter
from callops.engine import attachment, engine
from callops.engine.engine import Engine
from callops.engine.host import SidebandHost
from callops.engine.sessions import served
from callops.engine.sideband_consumer import ask
from callops.sideband import leases
from callops.sideband.models import AiSession
from callops.transfers import steps
from tests.engine.sockets import OpenAi, Socket, eventually
from tests.rows import make_call, make_line, make_session

pytestmark = pytest.mark.django_db(transaction=True)


def accepted(number: str = "+15550100") -> AiSession:
    now = clock.now()
    call = make_call(make_line(number=number), ai_session="accepting", state="connecting", answered_at=None)
    return make_session(call, webhook_at=now, created_at=now, accepted_at=now)


class Away:
    """A database that cannot be reached until `back` is set; then `work` is done."""

    error: type[Error] = OperationalError

    def __init__(self, work: Any) -> None:
        self.work, self.asked, self.is_back = work, 0, False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        if not self.is_back:
            raise self.error("connection failed")
        return self.work(*args, **kwargs)


async def test_an_engine_whose_database_is_away_while_it_rests_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away(steps.next_due)
    monkeypatch.setattr(steps, "next_due", away)
    monkeypatch.setattr(engine, "LOOK_EVERY_S", 0.01)
    working = Engine(owner="one")
    running = asyncio.create_task(working.run())

    async def asked_again() -> bool:
        return running.done() or away.asked > 2

    await eventually(asked_again, "it asks again")
    away.is_back = True
    await working.stop()

    await running


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
async def test_an_engine_that_was_cut_off_keeps_its_own_and_takes_nothing_for_the_length_of_a_lease(
    monkeypatch: pytest.MonkeyPatch, error: type[Error]
) -> None:
    monkeypatch.setattr(engine, "config", lambda: type("Served", (), {"is_sqlite": False, "engine_capacity": 9})())
    session = await in_db(accepted)()
    late = Engine(owner="late")
    late._host = SidebandHost(owner="late", outside=OpenAi([Socket()]))
    claim = Away(leases.claim_share)
    claim.error = error
    monkeypatch.setattr(leases, "claim_share", claim)

    await late._look()
    claim.is_back = True
    await late._look()

    assert claim.asked == 1
    late._may_claim_from = 0.0
    await late._look()
    assert claim.asked == 2
    assert (await in_db(AiSession.objects.get)(pk=session.pk)).lease_owner == "late"
    await late._host.empty(within_s=5)


@pytest.mark.parametrize(
    ("cause", "cut_off"),
    [
        (psycopg.OperationalError("connection failed"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.ConnectionFailure(), True),
        (psycopg.errors.DeadlockDetected(), False),
    ],
)
def test_a_deadlock_is_no_sign_that_the_database_is_away(cause: Exception, cut_off: bool) -> None:
    error = OperationalError()
    error.__cause__ = cause

    assert is_cut_off(error) is cut_off


class GoneLayer:
    """A layer whose server is gone."""

    async def new_channel(self) -> str:
        raise ConnectionError("gone")


async def test_a_sideband_is_attached_while_the_channel_layer_is_away() -> None:
    session = await in_db(accepted)()
    assert await in_db(leases.claim)(session.pk, owner="one")
    before = channel_layers.set("default", GoneLayer())
    host = SidebandHost(owner="one", outside=OpenAi([Socket()]))
    try:
        host.attach(await in_db(served)(session.pk))

        async def opened() -> bool:
            return (await in_db(AiSession.objects.get)(pk=session.pk)).opened_at is not None

        await eventually(opened, "the sideband is open")
    finally:
        channel_layers.set("default", before)
        await host.empty(within_s=5)


async def test_what_is_asked_of_a_call_is_sent_on_its_own_sideband_only() -> None:
    mine, other = await in_db(accepted)(), await in_db(accepted)("+15550101")
    sockets = [Socket(), Socket()]
    host = SidebandHost(owner="one", outside=OpenAi(sockets))
    hosting = asyncio.create_task(host.handle())
    for session in (mine, other):
        assert await in_db(leases.claim)(session.pk, owner="one")
        host.attach(await in_db(served)(session.pk))
        await eventually(partial(in_db(is_open), session.pk), "the sideband is open")

    await ask(mine.call_id, {"type": "sideband.send", "event": {"type": "response.cancel"}})
    await sockets[0].until(lambda sent: {"type": "response.cancel"} in sent)

    assert {"type": "response.cancel"} not in sockets[1].sent
    hosting.cancel()
    await host.empty(within_s=5)


def is_open(session_id: int) -> bool:
    return AiSession.objects.filter(pk=session_id, opened_at__isnull=False).exists()


async def test_a_lease_that_was_lost_while_its_owner_read_is_counted() -> None:
    session = await in_db(accepted)()
    assert await in_db(leases.claim)(session.pk, owner="one")
    socket = Socket()
    host = SidebandHost(owner="one", outside=OpenAi([socket]))
    host.attach(await in_db(served)(session.pk))

    async def opened() -> bool:
        return (await in_db(AiSession.objects.get)(pk=session.pk)).opened_at is not None

    await eventually(opened, "the sideband is open")
    await in_db(AiSession.objects.filter(pk=session.pk).update)(lease_owner="two")

    async def counted() -> bool:
        socket.push({"type": "session.updated"})
        return await in_db(Counter.objects.filter(name=attachment.LEASE_LOST).exists)()

    await eventually(counted, "the loss is counted")
    await host.empty(within_s=5)


async def test_an_engine_whose_machine_is_an_hour_ahead_learns_the_time_before_it_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = clock.now() - timedelta(hours=1)
    monkeypatch.setattr(timekeeping, "keep_time", lambda: clock.follow(theirs))
    monkeypatch.setattr(engine, "keep_time", lambda *, is_busy: None)
    working = Engine(owner="ahead")
    running = asyncio.create_task(working.run())
    try:

        async def seen() -> Any:
            return running.done() or await in_db(beats.last)(f"{beats.ENGINE}ahead")

        await eventually(seen, "it looks around")
        looked_at = await in_db(beats.last)(f"{beats.ENGINE}ahead")
        assert looked_at is not None
        assert looked_at - theirs < timedelta(minutes=1)
    finally:
        await working.stop()
        await running
        clock.follow(None)
