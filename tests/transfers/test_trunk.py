"""The REFER of a trunk call: its child is the witness, looked for by deadlines in the database."""

from __future__ import annotations

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane
from callops.transfers import moves, steps, trunk
from callops.transfers.models import TransferAttempt
from tests.rows import at, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> TransferAttempt:
    """A trunk's transfer whose REFER was asked for at noon."""
    make_destination()
    asked = make_attempt(make_call(make_line(topology="trunk"), topology="trunk"))
    steps.claim_refer(asked.pk, now=at(0))
    return fresh(asked)


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call__line").get(pk=attempt.pk)


def event(attempt: TransferAttempt, seconds: float = 1) -> Event:
    return timeline.note(attempt.call, at=at(seconds), kind=Kind.CARRIER_CHILD_SEEN, lane=Lane.CARRIER)


def seen(attempt: TransferAttempt, status: str, seconds: float) -> None:
    told = {"status": status, "is_over": status not in ("queued", "initiated", "ringing", "in-progress")}
    trunk.child_seen(attempt.pk, now=at(seconds), event=event(attempt, seconds), status=told)


def test_a_trunks_child_is_the_witness_of_its_refer(attempt: TransferAttempt) -> None:
    seen(attempt, "ringing", 1)
    seen(attempt, "in-progress", 2)

    now = fresh(attempt)
    assert (now.mechanism, now.outcome, now.refer_seen_at, now.human_connected_at) == (
        "refer",
        "connected",
        at(1),
        at(2),
    )


@pytest.mark.parametrize(
    ("status", "outcome"), [("busy", "busy"), ("no-answer", "no_answer"), ("completed", "connected")]
)
def test_a_trunks_child_that_is_over_tells_how_it_went(attempt: TransferAttempt, status: str, outcome: str) -> None:
    seen(attempt, status, 3)

    assert fresh(attempt).outcome == outcome


def test_an_unproven_refer_of_a_trunk_is_watched_for_a_while(attempt: TransferAttempt) -> None:
    steps.pass_deadline(attempt.pk, now=at(4))

    now = fresh(attempt)
    assert (now.state, now.outcome, now.due_at) == ("settled", "unknown", at(8))
    trunk.watch_on(now, now=at(31))
    assert fresh(attempt).due_at is None


@pytest.mark.parametrize(
    ("status", "fact"),
    [
        ("ringing", "human_ringing"),
        ("in-progress", "human_connected"),
        ("completed", "human_dial_ended"),
        ("queued", None),
    ],
)
def test_a_trunks_child_tells_how_the_humans_leg_stands(
    attempt: TransferAttempt, status: str, fact: str | None
) -> None:
    seen(attempt, status, 1)

    kinds = set(attempt.evidence.values_list("kind", flat=True))
    assert kinds == {"asked", "child_seen"} | ({fact} if fact else set())
    assert fresh(attempt).mechanism == "refer"


def test_a_late_child_counts_after_the_transfer_settled_as_unknown(attempt: TransferAttempt) -> None:
    steps.pass_deadline(attempt.pk, now=at(4))

    seen(attempt, "ringing", 8)
    assert (fresh(attempt).mechanism, fresh(attempt).outcome) == ("refer", "unknown")
    trunk.watch_on(fresh(attempt), now=at(8))
    assert fresh(attempt).due_at == at(9)
    seen(attempt, "in-progress", 12)
    trunk.watch_on(fresh(attempt), now=at(12))

    now = fresh(attempt)
    assert (now.state, now.mechanism, now.outcome, now.due_at) == ("settled", "refer", "connected", None)


def test_a_late_look_is_one_engines_and_the_next_one_is_a_row_before_it_is_made(attempt: TransferAttempt) -> None:
    steps.pass_deadline(attempt.pk, now=at(4))
    watched = fresh(attempt)

    assert trunk.claim_late_look(watched, now=at(8))
    assert not trunk.claim_late_look(watched, now=at(8))
    assert fresh(attempt).due_at == at(10)


def test_a_refer_that_the_trunk_refused_is_watched_no_more(attempt: TransferAttempt) -> None:
    steps.pass_deadline(attempt.pk, now=at(4))
    moves.refer_refused(attempt.call_id, at=at(5), event=event(attempt, 5), code=32218, raised_at=None)

    trunk.watch_on(fresh(attempt), now=at(8))

    assert (fresh(attempt).outcome, fresh(attempt).due_at) == ("failed", None)


def test_a_transfer_of_a_steerable_call_is_not_watched(attempt: TransferAttempt) -> None:
    steps.pass_deadline(attempt.pk, now=at(4))
    TransferAttempt.objects.update(due_at=None)
    Call.objects.update(topology="twiml")

    trunk.watch_on(fresh(attempt), now=at(5))

    assert fresh(attempt).due_at is None
