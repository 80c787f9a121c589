"""What we believe live is compared with the carrier, and only its own answer about a call changes that call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from callops.calls.models import Call
from callops.core.database import in_db
from callops.engine import carrier, reconciling
from callops.providers.receipt import ProviderError, Receipt
from callops.providers.twilio.calls import CarrierCall
from callops.sideband.models import AiSession
from tests.rows import at, body_of, make_call, make_session

pytestmark = pytest.mark.django_db(transaction=True)

LATER = at(300)


class Carrier:
    """A carrier that has these legs up; asked about another one it says that it is over."""

    def __init__(self, live: Iterable[str] = (), *, fails: bool = False) -> None:
        self.live = frozenset(live)
        self.fails = fails
        self.lists = 0

    async def live_calls(self) -> frozenset[str]:
        self.lists += 1
        if self.fails:
            raise ProviderError("the carrier is out of reach")
        return self.live

    async def look_up(self, sid: str) -> CarrierCall:
        status = "in-progress" if sid in self.live else "completed"
        receipt = Receipt(status=200, headers={}, absent=(), duration_ms=1.0)
        return CarrierCall(
            sid=sid,
            parent_sid=None,
            status=status,
            direction="inbound",
            from_="",
            to="",
            start_time=None,
            end_time=None,
            trunk_sid=None,
            receipt=receipt,
        )


async def reconcile(carrier_: Carrier, now: datetime = LATER) -> None:
    await reconciling.reconcile(carrier_, clock=lambda: now)


def doubted() -> set[str]:
    return set(Call.objects.filter(carrier_check_at__lte=LATER).values_list("pk", flat=True))


async def test_only_a_call_that_the_carrier_does_not_list_is_doubted() -> None:
    up, over = await in_db(make_call)(), await in_db(make_call)()

    await reconcile(Carrier([str(up.carrier_sid)]))

    assert await in_db(doubted)() == {over.pk}
    assert await in_db(lambda: Call.objects.get(pk=over.pk).state)() == "live"


async def test_a_call_whose_end_nobody_told_is_repaired_and_labelled() -> None:
    call = await in_db(make_call)()
    silent = Carrier()
    await reconcile(silent)

    await carrier.ask(silent, call.pk, now=LATER)

    ended = await in_db(Call.objects.get)(pk=call.pk)
    assert (ended.state, ended.ended_at) == ("ended", LATER)
    assert (await in_db(body_of)(call, "carrier.looked_up"))["repaired"] is True


async def test_a_carrier_that_cannot_be_asked_changes_nothing() -> None:
    await in_db(make_call)()

    await reconcile(Carrier(fails=True))

    assert await in_db(doubted)() == set()


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "ended"},
        {"topology": "trunk"},
        {"carrier_sid": None},
        {"started_at": LATER - timedelta(seconds=1)},
        {"carrier_check_at": LATER + timedelta(seconds=3)},
    ],
    ids=["over", "a trunk's", "without a leg", "just begun", "asked about soon"],
)
async def test_calls_of_which_the_list_says_nothing_are_left_alone(fields: dict[str, Any]) -> None:
    await in_db(make_call)(**fields)
    silent = Carrier()

    await reconcile(silent)

    assert silent.lists == 0
    assert await in_db(doubted)() == set()


async def test_a_session_that_nobody_accepted_in_time_is_over() -> None:
    call = await in_db(make_call)(carrier_sid=None, state="connecting", ai_session="none", answered_at=None)
    await in_db(make_session)(call, accepted_at=None)

    await reconcile(Carrier())

    session = await in_db(AiSession.objects.get)(call=call)
    assert session.closed_at == LATER
    assert await in_db(lambda: Call.objects.get(pk=call.pk).state)() == "ended"


async def test_an_engine_that_starts_looks_at_once_though_another_has_just_looked() -> None:
    def turn(seconds: float, *, at_start: bool = False) -> bool:
        return reconciling.is_our_turn(LATER + timedelta(seconds=seconds), at_start=at_start)

    assert await in_db(turn)(0)
    assert not await in_db(turn)(10)
    assert await in_db(turn)(20, at_start=True)
    assert not await in_db(turn)(61)
    assert await in_db(turn)(81)
