"""The rows an attachment asks for: whose leg a session is on, when there were several tries."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls.models import Call
from callops.calls.words import LegStatus, Redaction, Role, State
from callops.engine import sessions
from callops.sideband import journal
from callops.sideband.models import AiSession
from callops.sideband.signs import Signs
from tests.rows import NOON, at, make_call, make_leg, make_line, make_session

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


def test_a_sideband_is_attached_with_eleven_statements(django_assert_num_queries: Any) -> None:
    session = make_session(make_call(make_line()), lease_owner="one")

    with django_assert_num_queries(1):
        sessions.served(session.pk)
    with django_assert_num_queries(1):
        assert sessions.stored(session.pk) == []
    with django_assert_num_queries(
        9
    ):  # BEGIN, session twice, call, fact, legs, facts of the way to the AI, call, COMMIT
        assert journal.opened(session.pk, owner="one", at=at(1), duration_ms=1, signs=Signs(life_at=at(1)))

    assert AiSession.objects.get(pk=session.pk).signs == Signs(life_at=at(1))


def test_an_attachment_knows_its_line_or_what_is_usual_without_one() -> None:
    line = make_line(greeting="Say hello.", redact=["card"])
    with_line, without = make_session(make_call(line), accepted_at=None), make_session(make_call(), opened_at=at(1))

    served, bare = sessions.served(with_line.pk), sessions.served(without.pk)

    assert (served.greeting, served.rules, served.was_open) == ("Say hello.", ("card",), False)
    assert (served.call_id, served.ai_call_id, served.accepted_at) == (with_line.call_id, with_line.ai_call_id, NOON)
    assert (bare.greeting, bare.rules, bare.was_open) == ("", tuple(Redaction.usual()), True)
    with pytest.raises(AiSession.DoesNotExist):
        sessions.served(without.pk + 1)
