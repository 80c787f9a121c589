"""Evidence comes in: kept once, and judged again each time, for ever."""

from __future__ import annotations

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane, Policy, State, Topology
from callops.transfers import evidence
from callops.transfers.models import TransferAttempt
from callops.transfers.verdict import FactKind
from tests.rows import at, make_attempt, make_call, make_destination

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    make_destination()
    return make_call()


def event(call: Call, seconds: float = 1) -> Event:
    return timeline.note(call, at=at(seconds), kind=Kind.CARRIER_LEG, lane=Lane.CARRIER)


def add(attempt: TransferAttempt, kind: FactKind, seconds: float = 1, **detail: object) -> TransferAttempt:
    return evidence.add(attempt.pk, kind, at=at(seconds), event=event(attempt.call, seconds), detail=detail)


def test_a_fact_counts_once_for_each_event(call: Call) -> None:
    attempt, told = make_attempt(call), event(call)

    for _ in range(2):
        evidence.add(attempt.pk, FactKind.REFER_SEEN, at=at(1), event=told)

    assert attempt.evidence.filter(kind="refer_seen").count() == 1


def test_the_first_fact_after_the_wish_sets_it_going(call: Call) -> None:
    attempt = make_attempt(call)

    assert attempt.state == "pending"
    assert add(attempt, FactKind.REFER_ANSWERED, status=200).state == "running"


@pytest.mark.parametrize(
    ("kind", "witness"),
    [
        (FactKind.REFER_ANSWERED, "openai"),
        (FactKind.REFER_UNANSWERED, "clock"),
        (FactKind.DEADLINE_PASSED, "clock"),
        (FactKind.REFER_SEEN, "carrier"),
        (FactKind.CHILD_SEEN, "carrier"),
        (FactKind.DOCUMENT_FETCHED, "carrier"),
        (FactKind.HUMAN_CONNECTED, "carrier"),
        (FactKind.CALLER_LEFT, "carrier"),
        (FactKind.CANCELLED, "operator"),
    ],
)
def test_each_fact_has_its_witness(call: Call, kind: FactKind, witness: str) -> None:
    attempt = add(make_attempt(call), kind)

    assert attempt.evidence.get(kind=kind).witness == witness


def test_an_attempt_settles_once_and_late_facts_change_only_what_it_proves(call: Call) -> None:
    attempt = make_attempt(call, policy=Policy.REFER_ONLY)
    add(attempt, FactKind.REFER_ANSWERED, 1, status=200)
    unproven = add(attempt, FactKind.DEADLINE_PASSED, 4, deadline_s=4.0)

    assert (unproven.state, unproven.mechanism, unproven.outcome) == ("settled", "unknown", "unknown")
    assert (unproven.settled_at, unproven.due_at) == (at(4), None)

    late = add(attempt, FactKind.REFER_SEEN, 6)

    assert (late.state, late.mechanism, late.outcome, late.settled_at) == ("settled", "refer", "unknown", at(4))
    assert "after the deadline" in late.because


def test_the_call_follows_its_transfer(call: Call) -> None:
    attempt = make_attempt(call)
    call.refresh_from_db()
    assert call.state == State.TRANSFERRING

    add(attempt, FactKind.CALLER_LEFT)

    call.refresh_from_db()
    assert (call.state, call.has_open_transfer) == (State.LIVE, False)


def test_a_settled_transfer_does_not_close_a_newer_one(call: Call) -> None:
    first = make_attempt(call)
    add(first, FactKind.GAVE_UP)
    make_attempt(call)

    add(first, FactKind.REFER_SEEN, 9)

    call.refresh_from_db()
    assert call.has_open_transfer


@pytest.mark.parametrize(
    ("policy", "topology", "only"),
    [
        (Policy.REFER_ONLY, Topology.TWIML, True),
        (Policy.REFER_THEN_REDIRECT, Topology.TWIML, False),
        (Policy.REFER_THEN_REDIRECT, Topology.TRUNK, True),
    ],
)
def test_a_trunk_and_a_policy_leave_only_the_refer(policy: str, topology: str, only: bool) -> None:
    attempt = TransferAttempt(policy=policy, call=Call(topology=topology))

    assert evidence.only_refer(attempt) is only


def test_a_nul_in_what_a_provider_answered_is_replaced(call: Call) -> None:
    attempt = add(make_attempt(call), FactKind.REDIRECT_ANSWERED, status=400, message="a\x00")

    assert attempt.evidence.get(kind="redirect_answered").detail["message"] == "a\ufffd"
