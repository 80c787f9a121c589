"""The carrier was asked whose leg an INVITE came on: halves are joined late, and no event is lost."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation, Event
from callops.calls.words import Lane
from callops.sideband import joining
from callops.sideband.models import AiSession, Turn
from callops.transfers.models import TransferAttempt
from tests.rows import at, body_of, kinds, make_attempt, make_call, make_destination, make_ringing_call, make_session

pytestmark = pytest.mark.django_db

INVITE = "CAchild"
GUESS = {"correlation_method": "numbers_and_time", "correlation_confidence": "probable"}


def carrier_half(**fields: Any) -> Call:
    """A call at the carrier whose AI never announced itself."""
    call = make_ringing_call(**fields)
    intake.record(call.pk, at=at(1), kind=Kind.US_DIALLED_AI, lane=Lane.US)
    return call


def ai_half(**fields: Any) -> tuple[Call, AiSession]:
    """An AI call without a leg, talking."""
    call = make_call(carrier_sid=None, ai_leg_sid="", **fields)
    session = make_session(call, invite_sid=INVITE, opened_at=at(2))
    intake.record(call.pk, at=at(2), kind=Kind.OPENAI_WEBHOOK, lane=Lane.OPENAI)
    intake.record(call.pk, at=at(3), kind=Kind.OPENAI_SIDEBAND_OPEN, lane=Lane.OPENAI)
    Turn.objects.create(call=call, item_id="i1", position=1, speaker="caller", text="Hello", started_at=at(3))
    return call, session


def says(session: AiSession, parent: Call | None) -> None:
    sid = parent.carrier_sid if parent else None
    joining.carrier_says(session.pk, sid=INVITE, parent_sid=sid, now=at(9))


def test_two_halves_become_one_call_and_no_event_is_lost() -> None:
    call, (alone, session) = carrier_half(), ai_half()
    before = set(Event.objects.values_list("kind", flat=True))
    count = Event.objects.count()

    says(session, call)

    (only,) = Call.objects.all()
    assert (only.pk, only.ai_call_id, only.carrier_sid) == (call.pk, session.ai_call_id, call.carrier_sid)
    assert (only.correlation_method, only.correlation_confidence) == ("carrier_sid", "exact")
    assert (only.state, only.ai_leg_sid) == ("live", INVITE)
    assert before <= set(kinds(only))
    assert Event.objects.count() == count + 1
    assert list(only.turns.values_list("text", flat=True)) == ["Hello"]
    numbers = list(Event.objects.filter(call=only).order_by("seq").values_list("seq", flat=True))
    assert numbers == sorted(set(numbers))
    assert not Call.objects.filter(pk=alone.pk).exists()


def test_a_webhook_that_seemed_missing_was_not() -> None:
    call, (_, session) = carrier_half(), ai_half()
    intake.record(call.pk, at=at(6), kind=Kind.CLOCK_WEBHOOK_MISSING, lane=Lane.CLOCK)
    assert Call.objects.get(pk=call.pk).failure_stage == "webhook_missing"

    says(session, call)

    assert Call.objects.get().failure_stage == ""


def test_transfers_of_both_halves_are_kept() -> None:
    make_destination()
    call, (alone, session) = carrier_half(), ai_half()
    attempt = make_attempt(alone, key="k")

    says(session, call)

    assert TransferAttempt.objects.get(pk=attempt.pk).call_id == call.pk
    assert Call.objects.get().has_open_transfer


def test_said_again_it_changes_nothing() -> None:
    call, (_, session) = carrier_half(), ai_half()
    says(session, call)
    count = Event.objects.count()

    says(session, call)

    assert Event.objects.count() == count
    assert Correlation.objects.filter(call=call, method="carrier_sid").count() == 1


def test_a_leg_nobody_knows_joins_nothing_and_is_answered() -> None:
    _, session = ai_half()

    joining.carrier_says(session.pk, sid=INVITE, parent_sid="CAstranger", now=at(9))

    session.refresh_from_db()
    assert session.carrier_answered_at == at(9)
    assert Call.objects.get().correlation_method == "none"


def test_a_guess_that_was_right_is_exact_from_then_on() -> None:
    call = make_call(**GUESS)
    session = make_session(call, invite_sid=INVITE)

    says(session, call)

    call.refresh_from_db()
    assert (call.correlation_method, call.correlation_confidence) == ("carrier_sid", "exact")


def test_a_guess_that_was_wrong_gives_the_assistant_to_its_own_call() -> None:
    guessed, right = make_call(**GUESS), carrier_half()
    session = make_session(guessed, invite_sid=INVITE, opened_at=at(2))
    Turn.objects.create(call=guessed, item_id="i1", position=1, speaker="caller", text="Hello", started_at=at(3))

    says(session, right)

    guessed.refresh_from_db()
    right.refresh_from_db()
    session.refresh_from_db()
    assert session.call_id == right.pk
    assert (right.ai_call_id, guessed.ai_call_id) == (session.ai_call_id, None)
    assert list(right.turns.values_list("text", flat=True)) == ["Hello"]
    assert guessed.turns.count() == 0
    assert body_of(guessed, "us.correlated")["method"] == "none"


@pytest.mark.parametrize(
    "settled",
    [
        {"correlation_method": "signed_header", "correlation_confidence": "exact"},
        {"correlation_method": "manual", "correlation_confidence": "exact"},
    ],
    ids=["our signed header", "a person"],
)
def test_better_evidence_than_the_carriers_word_stands(settled: dict[str, str]) -> None:
    present, other = make_call(**settled), carrier_half()
    session = make_session(present, invite_sid=INVITE)

    says(session, other)

    session.refresh_from_db()
    assert session.call_id == present.pk


def test_an_assistant_that_is_certain_on_that_call_is_not_pushed_out() -> None:
    taken = make_call(correlation_method="signed_header", correlation_confidence="exact")
    make_session(taken)
    alone, session = ai_half()

    says(session, taken)

    session.refresh_from_db()
    assert session.call_id == alone.pk
    assert "Another assistant" in body_of(alone, "us.correlated")["because"]


def test_a_guessed_assistant_makes_room_and_gets_a_call_of_its_own() -> None:
    taken = make_call(**GUESS)
    guess = make_session(taken)
    _, session = ai_half()

    says(session, taken)

    guess.refresh_from_db()
    session.refresh_from_db()
    assert session.call_id == taken.pk
    assert guess.call_id != taken.pk
    assert Call.objects.get(pk=guess.call_id).ai_call_id == guess.ai_call_id


def test_whoever_holds_the_socket_must_attach_again() -> None:
    call, (_, session) = carrier_half(), ai_half()
    AiSession.objects.update(lease_owner="engine-1", lease_until=at(60))

    says(session, call)

    session.refresh_from_db()
    assert (session.lease_owner, session.lease_until) == ("", None)
    assert Call.objects.get().incomplete, "frames the old holder had not written yet are missing"


def test_the_question_is_asked_by_one_process_at_most_three_times() -> None:
    _, session = ai_half()
    assert joining.questions(at(1)) == [(session.pk, INVITE)]

    asked = [joining.claim(session.pk, at(second)) for second in (1, 1.5, 3, 5, 9)]

    assert asked == [True, False, True, True, False]


def test_nobody_is_asked_about_a_call_that_is_exact_or_names_no_leg() -> None:
    exact = make_call(correlation_method="signed_header", correlation_confidence="exact")
    make_session(exact, invite_sid=INVITE)
    nameless = make_call(carrier_sid=None, ai_leg_sid="")
    make_session(nameless)

    assert joining.questions(at(1)) == []
