"""The carrier's doors for a transfer: the document, the human's leg, the end of the human's dial."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls.models import Destination
from callops.calls.words import State
from callops.core import clock
from callops.transfers.addresses import of_transfer
from callops.transfers.commands import cancel
from callops.transfers.models import Mechanism, TransferAttempt
from tests.rows import kinds, make_attempt, make_destination, make_line
from tests.webhooks.carrier import HUMAN_LEG, Caller, Document, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    second = make_destination("oncall", uri="sip:oncall@pbx.example.com", label="On call")
    first = make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second)
    make_line(fallback=first)
    caller = Caller()
    caller.live()
    return caller


@pytest.fixture
def attempt(caller: Caller) -> TransferAttempt:
    attempt = make_attempt(caller.call, Destination.objects.get(name="frontdesk"))
    TransferAttempt.objects.update(redirect_asked_at=clock.now(), redirect_tries=1, redirect_answer="ok")
    return attempt


def verdict(attempt: TransferAttempt) -> tuple[str, str, str]:
    attempt.refresh_from_db()
    return attempt.state, attempt.mechanism, attempt.outcome


def fetch(caller: Caller, attempt: TransferAttempt, via: Mechanism = Mechanism.REDIRECT, **params: Any) -> Document:
    return caller.fetches(of_transfer("transfer", attempt, via=via), **params)


def human_ends(caller: Caller, action: str, status: str, **params: Any) -> Document:
    return caller.dial_ends(action, status, child=params.pop("child", HUMAN_LEG), **params)


def test_the_fetch_by_redirect_is_the_proof(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)

    assert answer.number == "+15550111"
    assert "via=redirect" in answer.action
    assert verdict(attempt) == ("running", "redirect", "pending")
    assert attempt.document_fetched_at is not None
    assert caller.call.state == State.TRANSFERRING


@pytest.mark.parametrize("delivery", ["same", None], ids=["by token", "without a token"])
def test_a_repeated_fetch_gets_the_same_document_and_is_one_event(
    caller: Caller, attempt: TransferAttempt, delivery: str | None
) -> None:
    answers = {fetch(caller, attempt, delivery=delivery).text for _ in range(2)}

    assert len(answers) == 1
    assert kinds(caller.call).count("carrier.document") == 1


def test_every_way_dials_the_same_human(caller: Caller, attempt: TransferAttempt) -> None:
    ways = (Mechanism.REFER, Mechanism.REDIRECT, Mechanism.DIAL_ACTION)

    assert {fetch(caller, attempt, via).number for via in ways} == {"+15550111"}


def test_every_address_of_the_document_answers(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)

    caller.leg(answer.status_url, HUMAN_LEG, "ringing", sequence=1)
    assert human_ends(caller, answer.action, "busy").verbs == ["Dial"]


def test_the_documents_of_a_cancelled_transfer_lead_back_to_the_ai(caller: Caller, attempt: TransferAttempt) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=clock.now())

    assert fetch(caller, attempt).dials_the_ai
    assert verdict(attempt) == ("settled", "redirect", "cancelled")


def test_bug_a_repeated_fetch_of_a_cancelled_transfer_dials_the_ai_once(
    caller: Caller, attempt: TransferAttempt
) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=clock.now())

    answers = {fetch(caller, attempt, delivery="same").text for _ in range(2)}

    assert len(answers) == 1
    assert kinds(caller.call).count("us.dialled_ai") == 2


def test_the_humans_leg_rings_and_is_answered(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)

    caller.leg(answer.status_url, HUMAN_LEG, "ringing", sequence=1)
    assert verdict(attempt) == ("running", "redirect", "pending")
    caller.leg(answer.status_url, HUMAN_LEG, "in-progress", sequence=2)

    assert verdict(attempt) == ("settled", "redirect", "connected")
    assert attempt.human_connected_at is not None
    assert caller.call.state == State.WITH_HUMAN
    assert "Front desk connected" in attempt.because


def test_shuffled_callbacks_of_the_human_connect_once_and_stay_over(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)

    for sequence, word in ((3, "completed"), (0, "initiated"), (2, "in-progress"), (1, "ringing"), (2, "in-progress")):
        caller.leg(answer.status_url, HUMAN_LEG, word, sequence=sequence)

    assert verdict(attempt) == ("settled", "redirect", "connected")
    assert caller.status_of(HUMAN_LEG) == "completed"
    assert caller.call.state != State.WITH_HUMAN
    assert attempt.evidence.filter(kind="human_connected").count() == 1


def test_a_busy_human_hands_on_to_the_next_destination(caller: Caller, attempt: TransferAttempt) -> None:
    first = fetch(caller, attempt)

    second = human_ends(caller, first.action, "busy")

    assert second.noun.tag == "Sip"
    assert second.noun.text == "sip:oncall@pbx.example.com"
    assert verdict(attempt) == ("running", "redirect", "pending")
    assert caller.call.state == State.TRANSFERRING


def test_after_the_last_destination_the_ai_gets_the_caller_back(caller: Caller, attempt: TransferAttempt) -> None:
    first = fetch(caller, attempt)
    second = human_ends(caller, first.action, "busy")

    last = human_ends(caller, second.action, "no-answer", child="CAsecond")

    assert last.dials_the_ai
    assert verdict(attempt) == ("settled", "redirect", "no_answer")
    assert "Front desk: busy" in attempt.because
    assert "On call: no answer" in attempt.because
    assert not caller.call.has_open_transfer


def test_bug_a_repeated_end_of_the_last_dial_hands_the_caller_back_once(
    caller: Caller, attempt: TransferAttempt
) -> None:
    first = fetch(caller, attempt)
    second = human_ends(caller, first.action, "busy")
    before = kinds(caller.call).count("us.dialled_ai")

    answers = {human_ends(caller, second.action, "busy", child="CAsecond", delivery="same").text for _ in range(3)}

    assert len(answers) == 1
    assert kinds(caller.call).count("us.dialled_ai") == before + 1
    assert kinds(caller.call).count("us.rescued") == 1


def test_a_repeated_end_in_the_middle_gets_the_same_next_destination(caller: Caller, attempt: TransferAttempt) -> None:
    first = fetch(caller, attempt)

    answers = {human_ends(caller, first.action, "busy", delivery="same").text for _ in range(2)}

    assert len(answers) == 1
    assert attempt.evidence.filter(kind="human_dial_ended").count() == 1


def test_answered_but_not_bridged_is_not_connected(caller: Caller, attempt: TransferAttempt) -> None:
    first = fetch(caller, attempt)

    second = human_ends(caller, first.action, "completed", DialBridged="false")

    assert second.noun.text == "sip:oncall@pbx.example.com"
    assert verdict(attempt) == ("running", "redirect", "pending")


def test_bridged_is_connected_even_when_the_legs_own_callbacks_were_lost(
    caller: Caller, attempt: TransferAttempt
) -> None:
    after = human_ends(caller, fetch(caller, attempt).action, "completed")

    assert after.verbs == ["Hangup"]
    assert verdict(attempt) == ("settled", "redirect", "connected")


def test_after_the_talk_the_human_is_said_to_have_ended_it(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)
    caller.leg(answer.status_url, HUMAN_LEG, "in-progress", sequence=2)

    assert human_ends(caller, answer.action, "completed").verbs == ["Hangup"]
    caller.leg("/twiml/status", caller.sid, "completed", sequence=0)

    assert (caller.call.state, caller.call.ended_by) == (State.ENDED, "human")


def test_a_caller_who_hangs_up_after_the_talk_ended_it(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)
    caller.leg(answer.status_url, HUMAN_LEG, "in-progress", sequence=2)

    after = human_ends(caller, answer.action, "completed", CallStatus="completed")

    assert after.verbs == []
    assert (caller.call.state, caller.call.ended_by) == (State.ENDED, "caller")
    assert verdict(attempt) == ("settled", "redirect", "connected")


def test_a_caller_who_hangs_up_while_the_human_rings_left(caller: Caller, attempt: TransferAttempt) -> None:
    answer = fetch(caller, attempt)

    after = human_ends(caller, answer.action, "no-answer", CallStatus="completed")

    assert after.verbs == []
    assert verdict(attempt) == ("settled", "redirect", "caller_left")


def test_a_transfer_cancelled_while_the_human_rings_leads_back_to_the_ai(
    caller: Caller, attempt: TransferAttempt
) -> None:
    answer = fetch(caller, attempt)
    cancel(attempt=attempt, asked_by="supervisor1", now=clock.now())

    assert human_ends(caller, answer.action, "no-answer").dials_the_ai
    assert verdict(attempt) == ("settled", "redirect", "cancelled")


def test_a_late_refer_after_the_redirect_changes_the_record_not_the_caller(
    caller: Caller, attempt: TransferAttempt
) -> None:
    answer = fetch(caller, attempt)
    caller.leg(answer.status_url, HUMAN_LEG, "in-progress", sequence=2)
    url = f"http://127.0.0.1:8000/twiml/calls/{caller.call.token}/refer"

    assert ask(url, **caller.about, ReferTransferTarget="tel:+15550111").status_code == 410
    assert verdict(attempt) == ("settled", "redirect", "connected")
    assert attempt.refer_seen_at is not None


def test_a_redirect_that_lands_after_the_refer_rings_the_same_human_again(
    caller: Caller, attempt: TransferAttempt
) -> None:
    refer_url = f"http://127.0.0.1:8000/twiml/calls/{caller.call.token}/refer"
    by_refer = caller.fetches(refer_url, ReferTransferTarget="tel:+15550111")

    by_redirect = fetch(caller, attempt)
    caller.leg(by_redirect.status_url, HUMAN_LEG, "in-progress", sequence=2)

    assert by_refer.number == by_redirect.number
    assert verdict(attempt) == ("settled", "redirect", "connected")


@pytest.mark.parametrize("status", ["canceled", "no-answer"])
def test_bug_a_ring_cut_by_our_own_redirect_is_not_the_end_of_the_transfer(
    caller: Caller, attempt: TransferAttempt, status: str
) -> None:
    refer_url = f"http://127.0.0.1:8000/twiml/calls/{caller.call.token}/refer"
    by_refer = caller.fetches(refer_url, ReferTransferTarget="tel:+15550111")

    human_ends(caller, by_refer.action, status)
    assert verdict(attempt) == ("running", "refer", "pending")
    by_redirect = fetch(caller, attempt)
    caller.leg(by_redirect.status_url, HUMAN_LEG, "in-progress", sequence=2)

    assert by_redirect.number == "+15550111"
    assert verdict(attempt) == ("settled", "redirect", "connected")


def test_bug_a_cut_ring_that_is_told_after_the_fetch_does_not_end_the_transfer_either(
    caller: Caller, attempt: TransferAttempt
) -> None:
    refer_url = f"http://127.0.0.1:8000/twiml/calls/{caller.call.token}/refer"
    by_refer = caller.fetches(refer_url, ReferTransferTarget="tel:+15550111")

    fetch(caller, attempt)
    human_ends(caller, by_refer.action, "canceled")

    assert verdict(attempt) == ("running", "redirect", "pending")


@pytest.mark.parametrize(
    ("status", "redirect_answer", "outcome"),
    [("busy", "ok", "busy"), ("no-answer", "busy", "no_answer"), ("no-answer", "lost", "no_answer")],
)
def test_a_human_who_cannot_be_had_by_refer_settles_it_though_a_redirect_was_tried(
    caller: Caller, attempt: TransferAttempt, status: str, redirect_answer: str, outcome: str
) -> None:
    TransferAttempt.objects.update(redirect_answer=redirect_answer)
    refer_url = f"http://127.0.0.1:8000/twiml/calls/{caller.call.token}/refer"
    by_refer = caller.fetches(refer_url, ReferTransferTarget="tel:+15550111")

    human_ends(caller, by_refer.action, status)

    assert verdict(attempt) == ("settled", "refer", outcome)


def test_a_strange_step_in_an_address_counts_as_the_first(caller: Caller, attempt: TransferAttempt) -> None:
    action = fetch(caller, attempt).action

    for number, step in enumerate(("x", "-1", "99", "%D9%A1", "")):
        url = action.replace("step=0", f"step={step}")
        after = human_ends(caller, url, "busy", child=f"CA{number}")
        assert after.noun.text == "sip:oncall@pbx.example.com"


@pytest.mark.parametrize("late", [False, True], ids=["before the dial's end", "after the dial's end"])
def test_the_sip_code_of_a_numbers_leg_is_told_in_words(caller: Caller, attempt: TransferAttempt, late: bool) -> None:
    answer = fetch(caller, attempt)

    def leg_fails() -> None:
        caller.leg(answer.status_url, HUMAN_LEG, "failed", sequence=1, SipResponseCode="404")

    if not late:
        leg_fails()
    human_ends(caller, answer.action, "failed")
    if late:
        leg_fails()

    attempt.refresh_from_db()
    assert "Front desk: failed with SIP 404" in attempt.because
    assert verdict(attempt) == ("running", "redirect", "pending")
