"""Carrying transfers out: the mover takes the steps that are due, by the clock it is given."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
import pytest

from callops.calls.models import Leg
from callops.core.config import config
from callops.core.database import in_db
from callops.engine.moving import Mover
from callops.engine.outside import Outside
from callops.providers import openai, twilio
from callops.transfers.models import TransferAttempt
from tests.rows import NOON, at, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db(transaction=True)

CONTRACTS = Path(__file__).parents[1] / "contracts" / "twilio"
TRUNK_LEG = "CA4d9b6e2f81c04a7ebf3506d9c1e8a723"


class Died(Exception):
    """The process is gone in the middle of a look."""


class Trunk:
    """A trunk whose REFER is answered 200 and makes the contract's child after so many seconds, if ever."""

    def __init__(self, *, child_after_s: float | None = None, dies_at_s: float | None = None) -> None:
        self.now = NOON
        self.looks: list[float] = []
        self._dies_at_s = dies_at_s
        self._child_after_s = child_after_s

    def clock(self) -> datetime:
        return self.now

    def outside(self) -> Outside:
        carrier = httpx.MockTransport(self._children)
        ai = httpx.MockTransport(lambda request: httpx.Response(200))
        return Outside(
            openai=openai.client("https://openai.test/v1", "sk-made-up", transport=ai),
            twilio=twilio.client("https://twilio.test", "AC1", "token", transport=carrier),
            settings=config(),
        )

    def _children(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params["ParentCallSid"] == TRUNK_LEG
        seconds = (self.now - NOON).total_seconds()
        if seconds == self._dies_at_s:
            raise Died
        self.looks.append(seconds)
        is_there = self._child_after_s is not None and seconds >= self._child_after_s
        name = "trunk-call-list-after-refer" if is_there else "call-list-empty"
        return httpx.Response(200, text=(CONTRACTS / f"{name}.json").read_text())


def asked() -> TransferAttempt:
    make_destination()
    line = make_line(topology="trunk", transfer_policy="refer_only")
    return make_attempt(make_call(line, topology="trunk", carrier_sid=TRUNK_LEG))


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.get(pk=attempt.pk)


async def played(trunk: Trunk, attempt: TransferAttempt) -> TransferAttempt:
    """The attempt when nothing is due any more; the clock goes from deadline to deadline."""
    mover = Mover(trunk.outside(), clock=trunk.clock)
    for _ in range(50):
        due_at = (await in_db(fresh)(attempt)).due_at
        if due_at is None:
            break
        trunk.now = max(trunk.now, due_at)
        await mover.advance(attempt.pk)
        await mover.finish()
    return await in_db(fresh)(attempt)


async def test_the_child_of_a_silent_refer_is_looked_for_at_1_2_4_and_8_seconds_and_for_a_while_after() -> None:
    trunk, attempt = Trunk(), await in_db(asked)()

    end = await played(trunk, attempt)

    assert trunk.looks == [1, 2, 4, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]
    assert (end.state, end.mechanism, end.outcome, end.settled_at) == ("settled", "unknown", "unknown", at(4))


async def test_a_child_that_is_there_at_the_last_look_before_the_deadline_is_in_time() -> None:
    trunk, attempt = Trunk(child_after_s=3), await in_db(asked)()

    end = await played(trunk, attempt)

    assert trunk.looks == [1, 2, 4]
    assert (end.mechanism, end.outcome, end.human_connected_at) == ("refer", "connected", at(4))
    assert "clock.refer_deadline" not in await in_db(kinds)(attempt.call)
    leg = await in_db(Leg.objects.get)(parent_sid=TRUNK_LEG)
    assert (leg.role, leg.status) == ("human", "in-progress")


async def test_a_late_child_makes_a_settled_unknown_a_refer() -> None:
    trunk, attempt = Trunk(child_after_s=11), await in_db(asked)()

    end = await played(trunk, attempt)

    assert trunk.looks == [1, 2, 4, 8, 10, 12]
    assert (end.state, end.mechanism, end.outcome) == ("settled", "refer", "connected")
    assert end.settled_at == at(4)
    assert "after the deadline" in end.because


async def test_a_watch_goes_on_when_the_process_that_began_a_look_is_gone() -> None:
    trunk, attempt = Trunk(child_after_s=9, dies_at_s=8), await in_db(asked)()

    with pytest.raises(Died):
        await played(trunk, attempt)

    assert (await in_db(fresh)(attempt)).due_at == at(10)
    assert (await played(trunk, attempt)).mechanism == "refer"
