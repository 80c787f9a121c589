"""Rounds by rows: due, found, transferred, ended, and never two at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.calls.models import Call, Line
from callops.canary import keeping
from callops.canary.models import Canary, Round
from callops.core import beats
from callops.core.ids import new_id
from callops.transfers.commands import CANARY
from callops.transfers.models import TransferAttempt
from tests.rows import at, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db
FROM = "+15550188"


@pytest.fixture
def line() -> Line:
    return make_line()


@pytest.fixture
def canary(line: Line) -> Canary:
    loop = make_destination("loopback")
    return Canary.objects.create(line=line, destination=loop, from_number=FROM, every_minutes=60, is_on=True)


def look(seconds: float) -> list[Round]:
    return keeping.look_in_turn(at(seconds))


def rings(line: Line, seconds: float, **fields: Any) -> Call:
    known = {"id": new_id(at(seconds)), "from_number": FROM, "started_at": at(seconds)}
    return make_call(line, **{**known, **fields})


def test_a_round_begins_when_it_is_due_and_one_at_a_time(canary: Canary) -> None:
    (first,) = look(0)

    assert first.asked_at == at(0)
    assert look(10) == []
    look(40)  # the call never came
    assert Round.objects.get().result == "no_call"
    assert look(3599) == []
    assert len(look(3600)) == 1


def test_a_canary_that_is_off_sings_nothing(canary: Canary) -> None:
    Canary.objects.update(is_on=False)

    assert look(0) == []


def test_it_waits_while_a_callers_transfer_on_that_line_is_open(canary: Canary, line: Line) -> None:
    attempt = make_attempt(make_call(line))

    assert look(0) == []
    TransferAttempt.objects.filter(pk=attempt.pk).update(state="settled")
    assert len(look(5)) == 1


def test_only_one_process_looks_at_a_time(canary: Canary) -> None:
    assert beats.take_turn(keeping.TURN, at(0), every=keeping.EVERY)

    assert look(0.5) == []


def test_the_call_is_found_transferred_once_judged_and_hung_up(canary: Canary, line: Line) -> None:
    look(0)
    other = rings(line, 1, from_number="+15550123")
    call = rings(line, 2)
    look(4)
    round_ = Round.objects.get()
    look(6)

    attempt = TransferAttempt.objects.get()
    assert (round_.call, round_.attempt) == (call, attempt)
    assert (attempt.requested_by, attempt.target_label, attempt.call) == (CANARY, "Loopback", call)
    told = {"state": "settled", "outcome": "connected", "mechanism": "redirect", "because": "The redirect did it."}
    TransferAttempt.objects.filter(pk=attempt.pk).update(**told)
    look(20)

    round_.refresh_from_db()
    assert (round_.result, round_.ended_at, round_.because) == ("settled", at(20), "The redirect did it.")
    assert "operator.hangup" in kinds(call)
    assert "operator.hangup" not in kinds(other)
    assert TransferAttempt.objects.count() == 1


def test_a_call_whose_ai_is_not_there_ends_the_round_and_is_hung_up(canary: Canary, line: Line) -> None:
    look(0)
    call = rings(line, 1, ai_session="none", state="connecting")
    look(59)
    assert Round.objects.get().result == "under_way"

    look(61)

    assert Round.objects.get().result == "no_ai"
    assert "operator.hangup" in kinds(call)


def test_a_transfer_that_does_not_settle_is_cut_off(canary: Canary, line: Line) -> None:
    look(0)
    rings(line, 1)
    look(3)

    look(91)

    assert Round.objects.get().result == "cut_off"


def test_what_twilio_refuses_ends_the_round_with_its_answer(canary: Canary) -> None:
    (begun,) = look(0)

    keeping.not_placed(begun.pk, "Twilio answered 400, code 21210.", at(1))

    round_ = Round.objects.get()
    assert (round_.result, round_.because) == ("not_placed", "Twilio answered 400, code 21210.")


def test_a_transfer_that_may_not_be_asked_for_ends_the_round_with_the_reason(canary: Canary, line: Line) -> None:
    look(0)
    call = rings(line, 1)
    make_attempt(call)
    Call.objects.filter(pk=call.pk).update(state="live")

    look(3)

    assert Round.objects.get().result == "refused"
    assert "still open" in Round.objects.get().because


def test_rounds_of_long_ago_are_forgotten(canary: Canary) -> None:
    Round.objects.create(canary=canary, asked_at=at(0) - timedelta(days=91), ended_at=at(0), result="no_call")

    look(0)

    assert Round.objects.count() == 1
