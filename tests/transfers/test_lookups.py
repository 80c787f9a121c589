"""What the carrier told when it was asked about the legs of a transfer."""

from __future__ import annotations

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.calls.words import Lane
from callops.transfers import evidence, lookups, steps
from callops.transfers.models import TransferAttempt
from callops.transfers.verdict import FactKind
from tests.rows import NOON, at, make_attempt, make_call, make_destination, make_line
from tests.transfers.test_steps import LOST, OK, Told

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> TransferAttempt:
    make_destination(uri="tel:+15550111")
    return make_attempt(make_call(make_line()))


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call__line").get(pk=attempt.pk)


def event(attempt: TransferAttempt, seconds: float) -> Event:
    return timeline.note(attempt.call, at=at(seconds), kind=Kind.CARRIER_LOOKED_UP, lane=Lane.CARRIER)


def look(attempt: TransferAttempt, seconds: float, **told: str | None) -> None:
    known = {"caller": "in-progress", "ai_leg": None}
    happened = event(attempt, seconds)
    lookups.looked_up(attempt.pk, now=at(seconds), event=happened, is_over=False, **{**known, **told})


def redirected(attempt: TransferAttempt, told: Told = LOST) -> None:
    steps.claim_redirect(attempt.pk, tries=0, now=NOON)
    steps.redirect_answered(attempt.pk, told, now=at(5))


def test_looking_up_a_caller_who_left_settles_the_transfer(attempt: TransferAttempt) -> None:
    lookups.looked_up(attempt.pk, now=at(6), event=event(attempt, 6), is_over=True, caller="completed")

    assert (fresh(attempt).outcome, fresh(attempt).looked_up_at) == ("caller_left", at(6))


def test_looking_up_a_caller_who_is_there_goes_on_at_once(attempt: TransferAttempt) -> None:
    look(attempt, 6)

    assert (fresh(attempt).outcome, fresh(attempt).due_at) == ("pending", at(6))
    assert attempt.evidence.get(kind="looked_up").detail == {"caller": "in-progress", "ai_leg": None}


def test_the_strategy_counts_the_looks_since_the_last_redirect(attempt: TransferAttempt) -> None:
    look(attempt, -2, ai_leg="in-progress")
    redirected(attempt)
    look(attempt, 6, ai_leg="in-progress")
    look(attempt, 8, ai_leg="completed")

    seen = steps.situation_of(fresh(attempt), at(9))

    assert (seen.look_ups, seen.ai_leg_up, seen.looked_up_at) == (2, False, at(8))


def test_an_ai_leg_that_is_up_is_told_to_the_strategy(attempt: TransferAttempt) -> None:
    redirected(attempt)
    look(attempt, 6, ai_leg="in-progress")

    assert steps.situation_of(fresh(attempt), at(9)).ai_leg_up


def test_an_unknown_transfer_that_was_given_up_still_hears_a_late_witness(attempt: TransferAttempt) -> None:
    redirected(attempt)
    look(attempt, 6)
    steps.give_up(attempt.pk, now=at(60), why="Twilio could not tell.")
    assert (fresh(attempt).state, fresh(attempt).outcome, fresh(attempt).mechanism) == ("settled", "unknown", "unknown")

    evidence.add(attempt.pk, FactKind.DOCUMENT_FETCHED, at=at(65), event=event(attempt, 65), detail={"via": "redirect"})

    assert (fresh(attempt).mechanism, fresh(attempt).outcome) == ("redirect", "unknown")


def test_the_answer_to_the_end_of_the_ai_leg_is_a_part_of_the_record_and_proves_nothing(
    attempt: TransferAttempt,
) -> None:
    steps.claim_end_of_ai_leg(attempt.pk, now=at(9))

    lookups.ai_leg_end_answered(attempt.pk, OK.body(), now=at(9.2), event=event(attempt, 9.2))

    row = attempt.evidence.get(kind="ai_leg_end_answered")
    assert (row.witness, row.detail["status"], row.detail["asked_at"]) == ("carrier", 200, at(9).isoformat())
    assert (fresh(attempt).mechanism, fresh(attempt).outcome) == ("unknown", "pending")
