"""An ended call's page says who ended it, why we think so, and who was cut off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane, LegStatus, Role
from callops.core.clock import now
from callops.dashboard.ending import end_of
from tests.dashboard.conftest import MakeCall
from tests.rows import make_leg, make_session


def ended(make_call: MakeCall, **fields: Any) -> Call:
    """A call whose caller left while the assistant was speaking."""
    call = make_call(carrier_sid="CA1", ai_call_id="rtc_1", **fields)
    for role, sid in ((Role.CALLER, "CA1"), (Role.AI, "CA2")):
        make_leg(call, role=role, sid=sid, status=LegStatus.COMPLETED, ended_at=now())
    make_session(
        call, opened_at=now(), dropped_at=now(), sound_began_at=now() - timedelta(seconds=2), speech_began_at=None
    )
    intake.record(
        call.pk,
        at=now(),
        kind=Kind.CARRIER_DIAL_ENDED,
        lane=Lane.CARRIER,
        body={"caller_on_line": False},
        changes={"caller_left_at": now()},
    )
    return Call.objects.get(pk=call.pk)


def test_the_header_says_who_ended_the_call_and_who_was_cut_off(desk: Client, make_call: MakeCall) -> None:
    call = ended(make_call)

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert "ended by the caller" in text
    assert "leg ended first, at" in text
    assert "the assistant was speaking" in text
    assert "assistant cut off" in text
    assert "caller cut off" not in text


def test_a_call_that_goes_on_has_no_end(desk: Client, make_call: MakeCall) -> None:
    call = make_call()

    assert end_of(call) is None
    assert 'id="end-why"' not in desk.get(f"/calls/{call.pk}/").content.decode()


def test_a_call_without_a_leg_says_that_nothing_tells_who_ended_it(desk: Client, make_call: MakeCall) -> None:
    call = make_call(state="ended", ended_at=now(), ended_by="unknown", ai_call_id="rtc_1", ai_session="closed")
    make_session(call, closed_at=now(), close_reason="The session is gone.")

    assert "no leg of the carrier tells who ended the call" in desk.get(f"/calls/{call.pk}/").content.decode()


def test_a_call_whose_assistant_left_by_itself_needs_somebody_until_it_is_taken_on(
    desk: Client, make_call: MakeCall
) -> None:
    dialled = now() - timedelta(seconds=40)
    left = make_call(ai_dialled_at=dialled, ai_left_at=now(), ai_session="closed")
    make_call(ai_dialled_at=dialled, ai_left_at=now(), ai_session="closed", state="with_human")
    make_call(ai_dialled_at=now(), ai_left_at=dialled)

    needs = desk.get("/").context["needs"]

    assert [row.id for row in needs] == [left.pk]
    assert needs[0].why == "The assistant's leg ended by itself; the caller is being led on."
