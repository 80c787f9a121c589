"""Nobody is lost: back to the AI, which is told; and when it cannot be had either, an apology and a call-back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callops.calls.models import Call, CallBack, Destination
from callops.core import clock
from callops.sideband.acceptance import told
from callops.transfers.addresses import of_transfer
from callops.transfers.commands import cancel
from callops.transfers.models import Mechanism, TransferAttempt
from tests.rows import body_of, kinds, make_attempt, make_destination, make_line, make_session
from tests.webhooks.carrier import AI_LEG, HUMAN_LEG, Caller, Document

pytestmark = pytest.mark.django_db
AI_AGAIN = "CA" + "c" * 32


@pytest.fixture
def caller() -> Caller:
    desk = make_destination("frontdesk", uri="tel:+15550111", label="Front desk")
    make_line(fallback=desk)
    caller = Caller()
    caller.live()
    return caller


@pytest.fixture
def attempt(caller: Caller) -> TransferAttempt:
    return make_attempt(caller.call, Destination.objects.get())


def in_vain(caller: Caller, attempt: TransferAttempt, via: Mechanism = Mechanism.REDIRECT) -> Document:
    dial = caller.fetches(of_transfer("transfer", attempt, via=via))
    return caller.dial_ends(dial.action, "busy", child=HUMAN_LEG, DialSipResponseCode="486")


def ai_fails(caller: Caller, dial: Document, **params: str) -> Document:
    return caller.dial_ends(dial.action, "failed", child=AI_AGAIN, **params)


def test_the_ai_that_gets_the_caller_back_is_told_who_was_tried(caller: Caller, attempt: TransferAttempt) -> None:
    back = in_vain(caller, attempt)
    session = make_session(caller.call, position_base=100_000)

    assert back.dials_the_ai
    assert body_of(caller.call, "us.rescued") == {"label": "the assistant", "why": "Front desk: busy (SIP 486)."}
    assert "Front desk: busy (SIP 486)." in told(session.call_id, session.position_base)
    assert told(session.call_id, position_base=0) == ""


def test_the_ai_is_told_that_a_transfer_was_called_off(caller: Caller, attempt: TransferAttempt) -> None:
    dial = caller.fetches(of_transfer("transfer", attempt, via=Mechanism.REDIRECT))
    cancel(attempt=attempt, asked_by="supervisor1", now=clock.now())

    assert caller.dial_ends(dial.action, "no-answer", child=HUMAN_LEG).dials_the_ai
    assert body_of(caller.call, "us.rescued")["why"] == "The transfer to Front desk was called off."


def test_when_the_ai_cannot_be_had_again_the_caller_hears_an_apology_and_is_called_back(
    caller: Caller, attempt: TransferAttempt
) -> None:
    back = in_vain(caller, attempt)

    last = ai_fails(caller, back)

    assert last.verbs == ["Pause", "Say", "Hangup"]
    assert "will call you back" in last.said
    task = CallBack.objects.get()
    assert (task.number, task.call, task.times) == ("+15550123", caller.call, 1)
    assert task.why == "Nobody took the call, and the assistant could not be reached again."


def test_a_repeated_end_of_that_dial_is_the_same_apology_and_one_task(caller: Caller, attempt: TransferAttempt) -> None:
    back = in_vain(caller, attempt)

    answers = {ai_fails(caller, back, delivery="same").text for _ in range(3)}

    assert len(answers) == 1
    assert CallBack.objects.get().times == 1
    assert kinds(caller.call).count("us.call_back_opened") == 1


def test_an_ai_that_answered_and_never_came_alive_counts_as_not_had(caller: Caller, attempt: TransferAttempt) -> None:
    back = in_vain(caller, attempt)

    assert caller.dial_ends(back.action, "completed", child=AI_AGAIN).verbs == ["Pause", "Say", "Hangup"]


def test_an_ai_that_had_the_caller_back_and_died_later_is_an_incident_like_any_other(
    caller: Caller, attempt: TransferAttempt
) -> None:
    back = in_vain(caller, attempt)
    make_session(caller.call, position_base=100_000, opened_at=clock.now() + timedelta(seconds=1))

    assert caller.dial_ends(back.action, "completed", child=AI_AGAIN).number == "+15550111"
    assert not CallBack.objects.exists()


def test_a_caller_who_hangs_up_before_the_ai_is_back_owes_nobody_a_call(
    caller: Caller, attempt: TransferAttempt
) -> None:
    back = in_vain(caller, attempt)

    assert ai_fails(caller, back, CallStatus="completed").verbs == []
    assert not CallBack.objects.exists()


def test_a_withheld_number_is_not_promised_a_call_and_the_task_says_so(
    caller: Caller, attempt: TransferAttempt
) -> None:
    Call.objects.update(from_number="")
    back = in_vain(caller, attempt)

    last = ai_fails(caller, back)

    assert "call again later" in last.said
    assert CallBack.objects.get().number == ""


def test_a_rescue_that_ends_with_nobody_opens_a_task(caller: Caller) -> None:
    dial = caller.dial_ends(f"/twiml/calls/{caller.call.token}/dial-ended", "completed", child=AI_LEG)

    last = caller.dial_ends(dial.action, "no-answer", child=HUMAN_LEG)

    assert last.verbs == ["Pause", "Say", "Hangup"]
    assert CallBack.objects.get().why == "The AI's leg ended by itself, and nobody took the call."
