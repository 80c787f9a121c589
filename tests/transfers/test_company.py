"""What the assistant is told while the caller waits with it, and how it ended."""

from __future__ import annotations

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.transfers import company, evidence
from callops.transfers.commands import cancel
from callops.transfers.models import Outcome, TransferAttempt
from callops.transfers.verdict import FactKind
from tests.rows import at, body_of, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> TransferAttempt:
    make_destination(uri="tel:+15550111", label="Front desk")
    return make_attempt(make_call(make_line()))


def waits(attempt: TransferAttempt) -> company.Note | None:
    return company.claim_waiting(attempt.pk, speak=True, now=at(0))


def add(attempt: TransferAttempt, kind: FactKind, **detail: object) -> None:
    event = timeline.note(attempt.call, at=at(2), kind=Kind.CARRIER_LEG, lane=Lane.CARRIER)
    evidence.add(attempt.pk, kind, at=at(2), event=event, detail=detail)


def test_the_note_names_whom_the_caller_waits_for_and_is_written_before_it_is_sent(attempt: TransferAttempt) -> None:
    note = waits(attempt)

    assert note is not None
    assert (note.call_id, note.speak, len(note.item_id) <= 32) == (attempt.call_id, True, True)
    assert "connected to Front desk" in note.words
    assert "promise nothing" in note.words
    assert "do not chat on" in note.words
    assert body_of(attempt.call, Kind.US_TOLD_ASSISTANT)["words"] == note.words


def test_it_is_claimed_once(attempt: TransferAttempt) -> None:
    assert waits(attempt) is not None
    assert waits(attempt) is None


def test_a_settled_transfer_needs_no_company(attempt: TransferAttempt) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=at(1))

    assert waits(attempt) is None
    assert company.untold_ends() == []


@pytest.mark.parametrize(
    ("outcome", "begins"),
    [
        (Outcome.CANCELLED, "The transfer to Front desk was cancelled."),
        (Outcome.UNKNOWN, "The transfer to Front desk could not be confirmed"),
        (Outcome.BUSY, "Nobody could take the call. Front desk: busy."),
        (Outcome.NO_ANSWER, "Nobody could take the call. Front desk: busy."),
        (Outcome.FAILED, "Nobody could take the call. Front desk: busy."),
    ],
)
def test_the_end_is_told_in_words_the_assistant_can_use(outcome: str, begins: str) -> None:
    words = company.over_words(outcome, "Front desk", "Front desk: busy.")

    assert words.startswith(begins)
    assert words.endswith(company.GO_ON)


@pytest.mark.parametrize("outcome", [Outcome.CONNECTED, Outcome.CALLER_LEFT, Outcome.PENDING])
def test_there_is_nothing_to_tell_when_the_caller_is_gone(outcome: str) -> None:
    assert company.over_words(outcome, "Front desk", "Front desk: busy.") == ""


def test_the_end_is_told_once(attempt: TransferAttempt) -> None:
    waits(attempt)
    assert company.untold_ends() == []
    cancel(attempt=attempt, asked_by="supervisor1", now=at(1))
    assert company.untold_ends() == [attempt.pk]

    notes = [company.claim_over(attempt.pk, now=at(2)) for _ in range(2)]

    assert notes[0] is not None
    assert (notes[0].speak, notes[1]) == (True, None)
    assert company.untold_ends() == []
    assert kinds(attempt.call).count(Kind.US_TOLD_ASSISTANT) == 2


def test_an_open_transfer_is_not_over(attempt: TransferAttempt) -> None:
    waits(attempt)

    assert company.claim_over(attempt.pk, now=at(2)) is None
    assert waits(attempt) is None


def test_who_got_through_to_a_human_needs_no_word(attempt: TransferAttempt) -> None:
    waits(attempt)
    add(attempt, FactKind.HUMAN_CONNECTED, via="refer", label="Front desk")

    assert company.claim_over(attempt.pk, now=at(3)) is None
    assert company.untold_ends() == []


def test_a_refer_whose_human_was_busy_leaves_the_caller_with_the_same_assistant(attempt: TransferAttempt) -> None:
    waits(attempt)
    add(attempt, FactKind.REFER_SEEN, target="tel:+15550111")
    add(attempt, FactKind.HUMAN_DIAL_ENDED, via="refer", dial_status="busy", bridged=False, more=False)

    note = company.claim_over(attempt.pk, now=at(3))

    assert note is not None
    assert "busy" in note.words


def test_a_redirect_that_took_effect_ended_that_assistant(attempt: TransferAttempt) -> None:
    waits(attempt)
    TransferAttempt.objects.update(document_fetched_at=at(1))
    add(attempt, FactKind.HUMAN_DIAL_ENDED, via="redirect", dial_status="busy", bridged=False, more=False)

    assert company.claim_over(attempt.pk, now=at(3)) is None
    assert company.untold_ends() == []


def test_an_assistant_we_lost_cannot_be_told(attempt: TransferAttempt) -> None:
    waits(attempt)
    cancel(attempt=attempt, asked_by="supervisor1", now=at(1))
    Call.objects.update(ai_session="reconnecting")

    assert company.claim_over(attempt.pk, now=at(2)) is None
