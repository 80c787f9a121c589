"""What passes between a transfer and the AI beside the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls.models import Call, Destination
from callops.calls.words import Session
from callops.transfers import asides, steps
from callops.transfers.commands import cancel
from callops.transfers.models import TransferAttempt
from tests.rows import at, body_of, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> TransferAttempt:
    make_destination(label="Front desk", screen=True)
    return make_attempt(make_call(make_line()))


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call__line").get(pk=attempt.pk)


def answer(attempt: TransferAttempt, text: str = "The power is out.", **fields: Any) -> None:
    asides.summarised(attempt.pk, **{"call_id": attempt.call_id, "text": text, "now": at(1), **fields})


def test_a_screened_person_without_a_summary_is_reason_to_ask(attempt: TransferAttempt) -> None:
    assert steps.situation_of(fresh(attempt), at(0)).summary_wanted


def test_so_is_a_screened_person_further_down_the_chain() -> None:
    mailbox = make_destination("oncall", screen=True)
    attempt = make_attempt(make_call(make_line()), make_destination(next=mailbox))

    assert asides.summary_is_wanted(fresh(attempt))


@pytest.mark.parametrize(
    "why_not", ["nobody is screened", "the assistant gave one", "the AI is gone", "the leg is not known"]
)
def test_otherwise_nobody_is_asked(why_not: str) -> None:
    desk = make_destination(screen=why_not != "nobody is screened")
    call = make_call(make_line(), ai_session=Session.CLOSED if why_not == "the AI is gone" else Session.OPEN)
    attempt = make_attempt(call, desk, summary="A bill." if why_not == "the assistant gave one" else "")
    if why_not == "the leg is not known":
        Call.objects.update(carrier_sid=None)

    assert not steps.situation_of(fresh(attempt), at(0)).summary_wanted


def test_the_question_is_claimed_once(attempt: TransferAttempt) -> None:
    assert asides.claim_summary(attempt.pk, now=at(0)) == attempt.call_id
    assert asides.claim_summary(attempt.pk, now=at(1)) is None

    assert fresh(attempt).summary_asked_at == at(0)
    assert kinds(attempt.call).count("us.summary_asked") == 1


def test_nothing_is_asked_for_a_settled_transfer(attempt: TransferAttempt) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=at(0))

    assert asides.claim_summary(attempt.pk, now=at(1)) is None


def test_the_answer_is_the_summary_and_a_fact_once_and_ends_the_wait(attempt: TransferAttempt) -> None:
    asides.claim_summary(attempt.pk, now=at(0))
    steps.wait_until(attempt.pk, at(1.5))

    answer(attempt, " The power\nis out. ")
    answer(attempt, "Something else.")

    seen = fresh(attempt)
    assert (seen.summary, seen.due_at) == ("The power is out.", at(1))
    assert not steps.situation_of(seen, at(1)).summary_wanted
    assert kinds(attempt.call).count("openai.summary") == 1
    assert body_of(attempt.call, "openai.summary") == {"text": "The power is out.", "transfer": attempt.pk}


@pytest.mark.parametrize(
    ("fields", "asked"),
    [({"text": "  "}, True), ({"call_id": "another"}, True), ({}, False)],
    ids=["an empty answer", "another call's", "one nobody asked for"],
)
def test_what_is_no_answer_of_ours_changes_nothing(
    attempt: TransferAttempt, fields: dict[str, Any], asked: bool
) -> None:
    if asked:
        asides.claim_summary(attempt.pk, now=at(0))

    answer(attempt, **fields)

    assert fresh(attempt).summary == ""
    assert "openai.summary" not in kinds(attempt.call)


def test_a_transfer_that_does_not_exist_is_no_reason_to_stumble(attempt: TransferAttempt) -> None:
    asides.summarised("never", call_id=attempt.call_id, text="Words.", now=at(1))

    assert fresh(attempt).summary == ""


def test_a_late_answer_does_not_wake_a_transfer_that_went_on_without_it(attempt: TransferAttempt) -> None:
    asides.claim_summary(attempt.pk, now=at(0))
    steps.claim_redirect(attempt.pk, tries=0, now=at(1.5))
    due_at = fresh(attempt).due_at

    answer(attempt, now=at(1.6))

    assert (fresh(attempt).summary, fresh(attempt).due_at) == ("The power is out.", due_at)


def test_destinations_that_lead_in_a_circle_are_looked_at_once() -> None:
    first = make_destination("frontdesk")
    second = make_destination("oncall", next=first)
    Destination.objects.filter(pk=first.pk).update(next=second)
    first.refresh_from_db()

    assert not asides.summary_is_wanted(fresh(make_attempt(make_call(make_line()), first)))
