"""What falls due by the clock: an operator's wish to end a call outlives the process that began to carry it out."""

from __future__ import annotations

import pytest

from callops.calls.commands import hang_up
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.engine import deadlines
from tests.rows import NOON, at, kinds, make_call, make_session

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


def test_a_webhook_that_stayed_away_is_told_once() -> None:
    waiting = make_call(ai_call_id=None, webhook_due_at=at(0))
    make_call(webhook_due_at=at(0))
    make_call(ai_call_id=None, state="ended", webhook_due_at=at(0))
    make_call(ai_call_id=None, webhook_due_at=at(2))

    for _ in range(2):
        deadlines.missing_webhooks(at(1))

    assert kinds(waiting) == [Kind.CLOCK_WEBHOOK_MISSING]
    assert Call.objects.filter(last_seq__gt=0).count() == 1


def test_a_session_is_warned_of_before_its_hour_is_over_and_once() -> None:
    old, young = make_call(), make_call()
    make_session(old, opened_at=at(0))
    make_session(young, opened_at=at(60))

    for _ in range(2):
        deadlines.sessions_near_their_end(at(0) + deadlines.WARN_AFTER)

    assert (kinds(old), kinds(young)) == ([Kind.CLOCK_SESSION_NEARLY_OVER], [])


def test_a_call_that_will_not_end_hides_no_other_wish() -> None:
    stubborn, other = make_call(end_wish="operator"), make_call(end_wish="operator")
    make_call(end_wish="assistant")
    for count in range(deadlines.MAX_ENDS):
        deadlines._claim_end(stubborn.pk, at(100 * count))

    assert deadlines.wished_ends(at(1000)) == [other.pk]
