"""What falls due by the clock: an operator's wish to end a call outlives the process that began to carry it out."""

from __future__ import annotations

import pytest

from callops.calls.commands import hang_up
from callops.calls.models import Call
from callops.engine import deadlines
from tests.rows import NOON, at, kinds, make_call

pytestmark = pytest.mark.django_db
AGAIN_S = deadlines.END_AGAIN.total_seconds()


@pytest.fixture
def call() -> Call:
    call = make_call()
    hang_up(call=call, asked_by="supervisor1", now=NOON)
    return call


def test_an_operators_wish_is_claimed_once(call: Call) -> None:
    assert deadlines.wished_ends(NOON) == [call.pk]

    assert deadlines._claim_end(call.pk, NOON) is not None
    assert deadlines._claim_end(call.pk, NOON) is None
    assert deadlines.wished_ends(at(1)) == []


def test_bug_an_operators_wish_was_lost_with_the_process_that_claimed_it(call: Call) -> None:
    deadlines._claim_end(call.pk, NOON)

    assert deadlines.wished_ends(at(AGAIN_S)) == [call.pk]
    assert deadlines._claim_end(call.pk, at(AGAIN_S)) is not None
    assert kinds(call).count("us.hangup_asked") == 2


def test_a_call_that_will_not_end_is_not_asked_to_for_ever(call: Call) -> None:
    for turn in range(deadlines.MAX_ENDS):
        deadlines._claim_end(call.pk, at(turn * AGAIN_S))

    assert deadlines.wished_ends(at(600)) == []


def test_a_call_that_ended_is_not_asked_to(call: Call) -> None:
    Call.objects.update(state="ended")

    assert deadlines.wished_ends(at(600)) == []
