"""The doors of a screened destination: whoever answers must press 1, and until then nobody is there."""

from __future__ import annotations

import pytest

from callops.calls.models import Call, Destination
from callops.calls.words import State
from callops.core import clock
from callops.transfers.addresses import of_transfer
from callops.transfers.commands import cancel
from callops.transfers.models import Mechanism, TransferAttempt
from tests.rows import body_of, kinds, make_attempt, make_destination, make_line
from tests.webhooks.carrier import AI_LEG, HUMAN_LEG, Caller, Document, query_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    second = make_destination("oncall", uri="sip:oncall@pbx.example.com", label="On call")
    first = make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second, screen=True)
    make_line(fallback=first)
    caller = Caller()
    caller.live()
    return caller


@pytest.fixture
def attempt(caller: Caller) -> TransferAttempt:
    return make_attempt(caller.call, Destination.objects.get(name="frontdesk"), summary="A <b>bill</b> & a refund")


def verdict(attempt: TransferAttempt) -> tuple[str, str, str]:
    attempt.refresh_from_db()
    return attempt.state, attempt.mechanism, attempt.outcome


def dialled(caller: Caller, attempt: TransferAttempt) -> Document:
    return caller.fetches(of_transfer("transfer", attempt, via=Mechanism.REDIRECT))


def asked(caller: Caller, attempt: TransferAttempt) -> tuple[Document, Document]:
    """The dial, and the question on the leg that was answered."""
    dial = dialled(caller, attempt)
    caller.leg(dial.status_url, HUMAN_LEG, "in-progress", sequence=2)
    assert dial.screen_url is not None
    return dial, caller.screened(dial.screen_url, HUMAN_LEG)


def test_only_a_screened_destination_is_asked(caller: Caller, attempt: TransferAttempt) -> None:
    first = dialled(caller, attempt)

    assert first.screen_url is not None
    assert query_of(first.status_url)["screened"] == "1"
    second = caller.dial_ends(first.action, "busy", child=HUMAN_LEG)
    assert second.screen_url is None
    assert "screened" not in query_of(second.status_url)


def test_the_question_asks_for_one_key_and_hangs_up_on_a_mailbox(caller: Caller, attempt: TransferAttempt) -> None:
    _, question = asked(caller, attempt)

    assert question.verbs == ["Gather", "Hangup"]
    assert question.gather.attrib["numDigits"] == "1"
    assert question.said == "Press 1 to take the call. What the caller asked about: A bill & a refund."
    assert "&amp; a refund" in question.text


def test_an_answered_screened_leg_connects_nobody(caller: Caller, attempt: TransferAttempt) -> None:
    asked(caller, attempt)

    assert verdict(attempt) == ("running", "redirect", "pending")
    assert caller.call.state == State.TRANSFERRING
    assert attempt.because.endswith("and is asked to press 1.")


def test_key_1_connects_and_the_document_ends_so_that_the_carrier_bridges(
    caller: Caller, attempt: TransferAttempt
) -> None:
    _, question = asked(caller, attempt)

    answer = caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="1")

    assert answer.verbs == []
    assert verdict(attempt) == ("settled", "redirect", "connected")
    assert attempt.human_connected_at is not None
    assert caller.call.state == State.WITH_HUMAN
    assert body_of(caller.call, "human.pressed")["taken"] is True


def test_the_key_may_arrive_before_the_legs_own_news(caller: Caller, attempt: TransferAttempt) -> None:
    dial = dialled(caller, attempt)
    pressed_at = of_transfer("pressed", attempt, via=Mechanism.REDIRECT)

    caller.screened(pressed_at, HUMAN_LEG, Digits="1")
    for sequence, word in ((1, "ringing"), (2, "in-progress"), (0, "initiated")):
        caller.leg(dial.status_url, HUMAN_LEG, word, sequence=sequence)

    assert verdict(attempt) == ("settled", "redirect", "connected")
    assert caller.call.state == State.WITH_HUMAN


def test_a_repeated_key_is_one_fact_and_the_same_answer(caller: Caller, attempt: TransferAttempt) -> None:
    _, question = asked(caller, attempt)

    answers = {
        caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="1", delivery="same").text for _ in range(3)
    }

    assert len(answers) == 1
    assert kinds(caller.call).count("human.pressed") == 1
    assert attempt.evidence.filter(kind="accepted_by_key").count() == 1


@pytest.mark.parametrize("key", ["2", "*", ""])
def test_any_other_key_ends_the_leg_and_the_next_destination_rings(
    caller: Caller, attempt: TransferAttempt, key: str
) -> None:
    dial, question = asked(caller, attempt)

    answer = caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits=key)
    after = caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="false")

    assert answer.verbs == ["Hangup"]
    assert after.noun.text == "sip:oncall@pbx.example.com"
    assert verdict(attempt) == ("running", "redirect", "pending")
    assert "Front desk: declined by key" in attempt.because
    assert body_of(caller.call, "human.pressed")["taken"] is False


def test_a_mailbox_that_presses_nothing_took_nobody(caller: Caller, attempt: TransferAttempt) -> None:
    Destination.objects.filter(name="frontdesk").update(next=None)
    dial, _ = asked(caller, attempt)

    after = caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="false")

    assert after.dials_the_ai
    assert verdict(attempt) == ("settled", "redirect", "no_answer")
    assert "Front desk: answered but nobody took the call" in attempt.because


def test_a_bridge_is_a_bridge_even_when_the_key_was_never_told(caller: Caller, attempt: TransferAttempt) -> None:
    dial, _ = asked(caller, attempt)

    after = caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="true")

    assert after.verbs == ["Hangup"]
    assert verdict(attempt) == ("settled", "redirect", "connected")


def test_a_key_without_a_bridge_leads_the_caller_back_to_the_ai(caller: Caller, attempt: TransferAttempt) -> None:
    dial, question = asked(caller, attempt)
    caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="1")

    after = caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="false")

    assert after.dials_the_ai
    assert verdict(attempt) == ("settled", "redirect", "no_answer")
    assert caller.call.state != State.WITH_HUMAN


def test_nobody_is_asked_for_a_caller_who_left_or_a_transfer_called_off(
    caller: Caller, attempt: TransferAttempt
) -> None:
    dial, question = asked(caller, attempt)
    cancel(attempt=attempt, asked_by="supervisor1", now=clock.now())

    again = caller.screened(dial.screen_url or "", HUMAN_LEG)
    key = caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="1")

    assert again.verbs == ["Say", "Hangup"]
    assert key.verbs == ["Hangup"]
    assert verdict(attempt) == ("settled", "redirect", "cancelled")
    assert caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="false").dials_the_ai


def test_the_destination_is_screened_as_it_was_when_the_transfer_was_asked_for(
    caller: Caller, attempt: TransferAttempt
) -> None:
    Destination.objects.update(screen=False)

    assert dialled(caller, attempt).screen_url is not None


def test_a_screened_fallback_must_press_1_as_well(caller: Caller) -> None:
    Call.objects.update(ai_session="closed")
    dial = caller.dial_ends(f"/twiml/calls/{caller.call.token}/dial-ended", "completed", child=AI_LEG)
    caller.leg(dial.status_url, HUMAN_LEG, "in-progress", sequence=2)
    assert dial.screen_url is not None

    question = caller.screened(dial.screen_url, HUMAN_LEG)
    assert caller.call.state != State.WITH_HUMAN
    answer = caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="1")

    assert question.said == "Press 1 to take the call. A caller asked for a person."
    assert answer.verbs == []
    assert caller.call.state == State.WITH_HUMAN


def test_a_fallback_that_presses_another_key_is_followed_by_the_next(caller: Caller) -> None:
    dial = caller.dial_ends(f"/twiml/calls/{caller.call.token}/dial-ended", "completed", child=AI_LEG)
    question = caller.screened(dial.screen_url or "", HUMAN_LEG)

    turned_away = caller.screened(question.gather.attrib["action"], HUMAN_LEG, Digits="3")
    after = caller.dial_ends(dial.action, "completed", child=HUMAN_LEG, DialBridged="false")

    assert turned_away.verbs == ["Hangup"]
    assert after.noun.text == "sip:oncall@pbx.example.com"
