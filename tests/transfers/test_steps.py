"""The rows behind each step: a claim before a request, a fact after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event, Leg
from callops.calls.words import Lane, Policy, ReferTarget, Topology
from callops.transfers import lookups, moves, steps
from callops.transfers.commands import cancel
from callops.transfers.models import Mechanism, TransferAttempt
from callops.transfers.strategies import Act, Answer, next_step
from callops.transfers.verdict import FactKind
from tests.rows import NOON, at, body_of, kinds, make_attempt, make_call, make_destination, make_leg, make_line

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Told:
    """An exchange as the providers' room tells it."""

    status: int | None = 200
    code: str | int | None = None
    request_id: str | None = None
    processing_ms: int | None = None
    duration_ms: int = 616
    is_lost: bool = False
    is_busy: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.status == 200

    def body(self) -> dict[str, Any]:
        return {"status": self.status, "error_code": self.code, "request_id": self.request_id, **self.more}


OK = Told()
LOST = Told(status=None, is_lost=True, more={"reason": "timeout"})
BUSY = Told(status=503, is_busy=True)
GONE = Told(status=400, code=21220)
NOT_FOUND = Told(status=404, code="call_id_not_found")


@pytest.fixture
def call() -> Call:
    make_destination(uri="tel:+15550111")
    return make_call(make_line())


@pytest.fixture
def attempt(call: Call) -> TransferAttempt:
    return make_attempt(call)


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call__line").get(pk=attempt.pk)


def event(attempt: TransferAttempt, seconds: float = 1) -> Event:
    return timeline.note(attempt.call, at=at(seconds), kind=Kind.CARRIER_REFER, lane=Lane.CARRIER)


def refer(attempt: TransferAttempt, seconds: float = 0) -> steps.Errand | None:
    return steps.claim_refer(attempt.pk, now=at(seconds))


def redirect(attempt: TransferAttempt, tries: int = 0, seconds: float = 4) -> steps.Errand | None:
    return steps.claim_redirect(attempt.pk, tries=tries, now=at(seconds))


def move(attempt: TransferAttempt, seconds: float = 1) -> None:
    moves.refer_seen(attempt, at=at(seconds), event=event(attempt, seconds), target="tel:+15550111")


def test_a_refer_is_claimed_once_and_its_deadline_runs(attempt: TransferAttempt) -> None:
    errand = refer(attempt)

    assert errand is not None
    assert (errand.ai_call_id, errand.target_uri) == (attempt.call.ai_call_id, "tel:+15550111")
    assert refer(attempt) is None
    now = fresh(attempt)
    assert (now.state, now.refer_asked_at, now.refer_deadline_at, now.due_at) == ("running", NOON, at(4), at(4))
    assert kinds(attempt.call).count("us.refer_asked") == 1


def test_a_line_has_a_deadline_of_its_own(call: Call) -> None:
    call.line.refer_deadline_s = 2.5
    call.line.save()
    attempt = make_attempt(call)

    refer(attempt)

    assert fresh(attempt).refer_deadline_at == at(2.5)


def test_nothing_is_claimed_for_a_cancelled_transfer(attempt: TransferAttempt) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=NOON)

    assert refer(attempt) is None
    assert redirect(attempt) is None
    assert steps.claim_end_of_ai_leg(attempt.pk, now=NOON) is None


def test_a_refer_needs_a_session_that_can_send_it(attempt: TransferAttempt) -> None:
    Call.objects.update(ai_call_id=None)

    assert refer(attempt) is None
    assert fresh(attempt).refer_asked_at is None


@pytest.mark.parametrize(
    ("wanted", "uri", "named"),
    [
        (ReferTarget.TEL, "tel:+15550111", "tel:+15550111"),
        (ReferTarget.SIP, "tel:+15550111", "sip:+15550111@sip.twilio.com"),
        (ReferTarget.SIP, "sip:desk@pbx.example.com", "sip:desk@pbx.example.com"),
        (ReferTarget.TEL, "sip:desk@pbx.example.com", "sip:desk@pbx.example.com"),
    ],
)
def test_the_refer_names_the_destination_as_the_line_wants_it(wanted: str, uri: str, named: str) -> None:
    call = make_call(make_line(refer_target=wanted))

    assert steps.refer_target(make_attempt(call, make_destination(uri=uri))) == named


@pytest.mark.parametrize(
    ("told", "answer", "fact"),
    [
        (OK, Answer.OK, "refer_answered"),
        (LOST, Answer.LOST, "refer_unanswered"),
        (NOT_FOUND, Answer.REFUSED, "refer_answered"),
        (BUSY, Answer.REFUSED, "refer_answered"),
    ],
)
def test_the_answer_to_a_refer_is_kept_with_what_it_lacked(
    attempt: TransferAttempt, told: Told, answer: Answer, fact: str
) -> None:
    refer(attempt)
    steps.refer_answered(attempt.pk, told, now=at(1))

    now = fresh(attempt)
    assert (now.refer_answer, now.refer_status, now.refer_request_id) == (answer, told.status, None)
    assert now.refer_duration_ms == 616
    assert (now.mechanism, now.outcome) == ("unknown", "pending")
    assert now.evidence.filter(kind=fact).count() == 1
    assert now.due_at == (at(1) if answer == Answer.REFUSED else at(4))


def test_the_deadline_is_a_fact_once(attempt: TransferAttempt) -> None:
    refer(attempt)
    for _ in range(2):
        steps.pass_deadline(attempt.pk, now=at(4))

    assert kinds(attempt.call).count("clock.refer_deadline") == 1
    assert attempt.evidence.get(kind="deadline_passed").detail == {"deadline_s": 4.0}


def test_a_refer_that_was_seen_misses_no_deadline(attempt: TransferAttempt) -> None:
    refer(attempt)
    move(attempt)

    steps.pass_deadline(attempt.pk, now=at(4))

    assert "clock.refer_deadline" not in kinds(attempt.call)


def test_a_redirect_is_claimed_once_for_each_try(attempt: TransferAttempt) -> None:
    errand = redirect(attempt)

    assert errand is not None
    assert errand.carrier_sid == attempt.call.carrier_sid
    assert redirect(attempt) is None
    assert redirect(attempt, tries=1) is not None
    assert fresh(attempt).redirect_tries == 2


def test_a_redirect_is_not_sent_once_the_carrier_reported_a_move(attempt: TransferAttempt) -> None:
    move(attempt)

    assert redirect(attempt) is None


def test_a_redirect_is_not_sent_once_the_document_was_fetched(attempt: TransferAttempt) -> None:
    moves.document_fetched(attempt, at=NOON, event=event(attempt), via=Mechanism.DIAL_ACTION)

    assert redirect(attempt) is None


def test_bug_the_ai_leg_is_not_ended_once_the_carrier_reported_a_move(attempt: TransferAttempt) -> None:
    move(attempt)

    assert steps.claim_end_of_ai_leg(attempt.pk, now=at(5)) is None


def test_the_end_of_the_ai_leg_is_claimed_once(attempt: TransferAttempt) -> None:
    errand = steps.claim_end_of_ai_leg(attempt.pk, now=at(5))

    assert errand is not None
    assert errand.ai_leg_sid == attempt.call.ai_leg_sid
    assert steps.claim_end_of_ai_leg(attempt.pk, now=at(5)) is None


def test_bug_the_end_of_the_ai_leg_was_lost_with_the_process_that_claimed_it(attempt: TransferAttempt) -> None:
    steps.claim_end_of_ai_leg(attempt.pk, now=at(5))

    assert not steps.situation_of(fresh(attempt), at(11)).ai_leg_answered
    assert steps.claim_end_of_ai_leg(attempt.pk, now=at(11), before=at(5)) is not None
    assert steps.claim_end_of_ai_leg(attempt.pk, now=at(11), before=at(5)) is None


def test_an_end_of_the_ai_leg_that_was_answered_is_known(attempt: TransferAttempt) -> None:
    steps.claim_end_of_ai_leg(attempt.pk, now=at(5))
    lookups.ai_leg_end_answered(attempt.pk, {"status": 200}, now=at(6), event=event(attempt, 6))

    assert steps.situation_of(fresh(attempt), at(7)).ai_leg_answered


@pytest.mark.parametrize("topology", [Topology.TRUNK, Topology.TWIML])
def test_only_a_leg_the_carrier_reported_as_the_callers_is_redirected(topology: str) -> None:
    call = make_call(topology=topology)
    assert steps.is_steerable(call) is (topology == Topology.TWIML)


def test_a_child_leg_is_never_redirected(attempt: TransferAttempt) -> None:
    Leg.objects.filter(sid=attempt.call.carrier_sid).update(parent_sid="CAparent")

    assert not steps.is_steerable(attempt.call)
    assert redirect(attempt) is None


def test_a_call_without_a_carrier_leg_is_not_steerable() -> None:
    call = make_call(carrier_sid=None)
    make_leg(call, sid="CAstray")

    assert not steps.is_steerable(call)


@pytest.mark.parametrize(
    ("told", "answer", "fact"),
    [
        (OK, Answer.OK, "redirect_answered"),
        (LOST, Answer.LOST, "redirect_unanswered"),
        (BUSY, Answer.BUSY, "redirect_answered"),
        (NOT_FOUND, Answer.REFUSED, "redirect_answered"),
    ],
)
def test_the_answer_to_a_redirect_proves_only_that_it_was_asked(
    attempt: TransferAttempt, told: Told, answer: Answer, fact: str
) -> None:
    redirect(attempt)
    steps.redirect_answered(attempt.pk, told, now=at(5))

    now = fresh(attempt)
    assert (now.redirect_answer, now.redirect_status, now.due_at) == (answer, told.status, at(5))
    assert (now.mechanism, now.outcome, now.state) == ("unknown", "pending", "running")
    assert now.evidence.filter(kind=fact).count() == 1


def test_21220_means_that_the_caller_is_gone_and_the_carrier_is_asked(attempt: TransferAttempt) -> None:
    redirect(attempt)
    steps.redirect_answered(attempt.pk, GONE, now=at(5))

    now = fresh(attempt)
    assert (now.state, now.outcome, now.mechanism) == ("settled", "caller_left", "none")
    assert now.redirect_error_code == 21220
    assert now.call.carrier_check_at == at(5)


def test_an_answer_that_comes_after_the_end_does_not_wake_a_settled_transfer(attempt: TransferAttempt) -> None:
    redirect(attempt)
    cancel(attempt=attempt, asked_by="supervisor1", now=at(4.5))

    steps.redirect_answered(attempt.pk, OK, now=at(5))

    now = fresh(attempt)
    assert (now.state, now.outcome, now.due_at) == ("settled", "cancelled", None)


def test_giving_up_is_said_once(attempt: TransferAttempt) -> None:
    for _ in range(2):
        steps.give_up(attempt.pk, now=at(9), why="No way was left.")

    now = fresh(attempt)
    assert (now.state, now.outcome, now.mechanism, now.because) == ("settled", "failed", "none", "No way was left.")
    assert body_of(attempt.call, "clock.human_deadline") == {"why": "No way was left.", "transfer": attempt.pk}
    assert kinds(attempt.call).count("clock.human_deadline") == 1


def test_what_is_due_comes_oldest_first(call: Call) -> None:
    late, soon = make_attempt(call), make_attempt(make_call(call.line))
    steps.wait_until(late.pk, at(9))
    steps.wait_until(soon.pk, at(3))

    assert steps.due_attempts(at(2)) == []
    assert steps.due_attempts(at(9)) == [soon.pk, late.pk]
    assert steps.next_due() == at(3)


def test_a_settled_transfer_is_not_made_to_wait(attempt: TransferAttempt) -> None:
    cancel(attempt=attempt, asked_by="supervisor1", now=NOON)

    steps.wait_until(attempt.pk, at(9))

    assert fresh(attempt).due_at is None


def test_a_refer_the_carrier_refused_is_looked_at_at_once(attempt: TransferAttempt) -> None:
    refer(attempt)
    steps.refer_answered(attempt.pk, OK, now=at(1))

    refused = moves.refer_refused(attempt.call_id, at=at(2), event=event(attempt, 2), code=13802, raised_at=at(1))

    assert refused is not None
    assert (fresh(attempt).state, fresh(attempt).due_at) == ("running", at(2))
    assert steps.situation_of(fresh(attempt), at(2)).refer_refused


def test_a_refusal_belongs_to_the_transfer_whose_refer_it_was(call: Call) -> None:
    first = make_attempt(call)
    refer(first)
    cancel(attempt=first, asked_by="supervisor1", now=at(5))
    second = make_attempt(call, now=at(10))
    refer(second, 10)
    third = make_attempt_without_refer(second)

    late = moves.refer_refused(call.pk, at=at(12), event=event(first, 12), code=32218, raised_at=at(1))
    newest = moves.refer_refused(call.pk, at=at(13), event=event(first, 13), code=32218, raised_at=None)

    assert late is not None
    assert newest is not None
    assert (late.pk, newest.pk) == (first.pk, second.pk)
    assert third.evidence.filter(kind="refer_refused").count() == 0


def test_a_refusal_without_a_refer_of_ours_is_no_evidence(attempt: TransferAttempt) -> None:
    assert moves.refer_refused(attempt.call_id, at=at(2), event=event(attempt), code=32218, raised_at=None) is None


def make_attempt_without_refer(before: TransferAttempt) -> TransferAttempt:
    cancel(attempt=before, asked_by="supervisor1", now=at(11))
    return make_attempt(before.call, now=at(11), policy=Policy.REDIRECT_ONLY)


def test_the_strategy_sees_what_the_rows_say(attempt: TransferAttempt) -> None:
    refer(attempt)
    steps.refer_answered(attempt.pk, OK, now=at(1))
    steps.pass_deadline(attempt.pk, now=at(4))
    redirect(attempt)
    move(attempt, 5)
    moves.document_fetched(attempt, at=at(6), event=event(attempt, 6), via=Mechanism.REDIRECT)

    seen = steps.situation_of(fresh(attempt), at(7))

    assert (seen.policy, seen.steerable, seen.refer_answer) == (Policy.REFER_THEN_REDIRECT, True, Answer.OK)
    assert (seen.deadline_passed, seen.refer_seen, seen.redirect_tries, seen.moved_at) == (True, True, 1, at(6))


def test_the_strategy_is_told_how_long_the_carrier_asked_to_be_left_alone(attempt: TransferAttempt) -> None:
    redirect(attempt, tries=0, seconds=4)
    steps.redirect_answered(attempt.pk, Told(status=429, is_busy=True, more={"retry_after_s": 1}), now=at(4.1))
    first = steps.situation_of(fresh(attempt), at(4.2))
    redirect(attempt, tries=1, seconds=5)
    steps.redirect_answered(attempt.pk, BUSY, now=at(5.1))
    second = steps.situation_of(fresh(attempt), at(5.2))

    assert (first.retry_after_s, second.retry_after_s) == (1, 0)
    assert 0 <= first.jitter < 1
    assert first.jitter != second.jitter


def test_bug_a_redirect_that_took_effect_is_not_repeated_because_its_document_is_asked_for_late(
    attempt: TransferAttempt,
) -> None:
    redirect(attempt, seconds=4)
    steps.redirect_answered(attempt.pk, OK, now=at(4.1))
    before = next_step(steps.situation_of(fresh(attempt), at(6)))

    Leg.objects.filter(sid=attempt.call.ai_leg_sid).update(status="completed", ended_at=at(4.3))
    after = next_step(steps.situation_of(fresh(attempt), at(6)))

    assert before.act == Act.LOOK_UP
    assert after.act == Act.WAIT


def test_the_wait_for_a_human_begins_anew_with_each_destination_that_is_rung(attempt: TransferAttempt) -> None:
    moves.document_fetched(attempt, at=at(5), event=event(attempt, 5), via=Mechanism.REDIRECT)
    for seconds, kind in ((6, FactKind.HUMAN_RINGING), (31, FactKind.HUMAN_DIAL_ENDED), (40, FactKind.SCREENING)):
        moves.human_said(attempt, kind, at=at(seconds), event=event(attempt, seconds), detail={"more": True})

    assert steps.situation_of(fresh(attempt), at(41)).moved_at == at(40)


def test_a_human_nobody_was_moved_to_is_no_move(attempt: TransferAttempt) -> None:
    moves.human_said(attempt, FactKind.HUMAN_RINGING, at=at(6), event=event(attempt, 6), detail={})

    assert steps.situation_of(fresh(attempt), at(7)).moved_at is None
