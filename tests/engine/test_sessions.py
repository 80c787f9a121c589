"""The rows an attachment asks for: whose leg a session is on, when there were several tries."""

from __future__ import annotations

import pytest

from callops.calls.models import Call
from callops.calls.words import LegStatus, Role, State
from callops.engine import sessions
from tests.rows import make_call, make_leg, make_session

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_try_that_died_does_not_take_the_leg_of_the_second_that_lives() -> None:
    call = make_call(ai_leg_sid="CA-first", ai_call_id="rtc_first")
    dead = make_session(call, invite_sid="CA-first")
    second = make_leg(call, sid="CA-second", role=Role.AI)
    Call.objects.filter(pk=call.pk).update(ai_leg_sid=second.sid, ai_call_id="rtc_second")

    assert sessions.ai_leg(dead.pk) == "CA-first"


def test_a_session_whose_invite_named_no_leg_of_the_ai_is_on_the_newest_leg_while_it_is_the_newest_session() -> None:
    call = make_call(ai_leg_sid="CA-ai", ai_call_id="rtc_first")
    session = make_session(call, invite_sid=call.carrier_sid or "")

    assert sessions.ai_leg(session.pk) == "CA-ai"
    Call.objects.filter(pk=call.pk).update(ai_leg_sid="CA-other", ai_call_id="rtc_second")
    assert sessions.ai_leg(session.pk) == ""


def test_a_leg_that_is_over_is_nobody_s_to_end() -> None:
    call = make_call(ai_leg_sid="", ai_call_id="rtc_first")
    make_leg(call, sid="CA-first", role=Role.AI, status=LegStatus.FAILED)
    session = make_session(call, invite_sid="CA-first")

    assert sessions.ai_leg(session.pk) == ""


def test_somebody_is_on_the_line_until_the_last_call_ended() -> None:
    assert not sessions.anybody_is_on_the_line()
    call = make_call(state=State.LIVE)
    make_call(state=State.ENDED)
    assert sessions.anybody_is_on_the_line()

    Call.objects.filter(pk=call.pk).update(state=State.ENDED)
    assert not sessions.anybody_is_on_the_line()
