"""Which way goes first on a line: read from its rows, decided once, forced with a reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from callops.calls.models import Call, Line
from callops.calls.words import Policy, State, Topology
from callops.transfers import switching
from callops.transfers.breaker import Position
from callops.transfers.commands import AnotherOpen
from callops.transfers.models import BreakerAct, Force, LineBreaker, TransferAttempt
from callops.transfers.steps import situation_of
from callops.transfers.strategies import Act, next_step
from callops.transfers.switching import ReasonMissing
from tests.rows import NOON, at, body_of, make_attempt, make_call, make_destination, make_line, make_refer

MINUTE = 60.0
SILENT = "REFER has been silent for 7 of 7"


def sick_line(*, minutes_ago: float = 5, **fields: Any) -> Line:
    """A line with seven silent REFERs, the last one so many minutes ago."""
    line = make_line(**fields)
    for index in range(7):
        make_refer(line, at(-minutes_ago * MINUTE - index))
    return line


def force(line: Line, to: Force = Force.CLOSED, **words: Any) -> LineBreaker:
    return switching.force(**{"line": line, "force": to, "by": "anna", "why": "a test", "now": NOON, **words})


@pytest.mark.django_db
def test_a_transfer_on_a_sick_line_goes_by_redirect_at_once_and_says_why() -> None:
    call = make_call(sick_line())

    attempt = make_attempt(call)

    attempt.refresh_from_db()
    assert (attempt.policy, attempt.redirect_first, attempt.breaker_because) == ("refer_then_redirect", True, SILENT)
    assert attempt.because == f"{SILENT}: the redirect went first. Asked; nothing has answered yet."
    assert next_step(situation_of(attempt, NOON)).act == Act.REDIRECT
    body = body_of(call, "operator.transfer_asked")
    assert (body["redirect_first"], body["breaker"]) == (True, SILENT)


@pytest.mark.django_db
def test_the_decision_is_taken_once() -> None:
    attempt = make_attempt(make_call(sick_line()))

    force(attempt.call.line, Force.CLOSED)

    attempt.refresh_from_db()
    assert next_step(situation_of(attempt, NOON)).act == Act.REDIRECT


@pytest.mark.django_db
def test_ten_minutes_later_one_transfer_is_a_probe_and_the_next_is_not() -> None:
    line = sick_line(minutes_ago=10)

    probe, following = make_attempt(make_call(line)), make_attempt(make_call(line), now=at(1))

    assert (probe.redirect_first, following.redirect_first) == (False, True)
    assert probe.because.startswith(f"{SILENT}; this one was a probe: REFER went first.")
    assert next_step(situation_of(probe, NOON)).act == Act.REFER
    assert LineBreaker.objects.get(line=line).probe_at == NOON


@pytest.mark.django_db
def test_two_probes_that_work_close_it() -> None:
    line = make_line()
    for index in range(15):
        make_refer(line, at(-60 * MINUTE - index))
    make_refer(line, at(-11 * MINUTE), "proven")
    before = switching.standing(line, now=NOON).decision.position

    make_refer(line, at(-1 * MINUTE), "proven")

    assert before == Position.HALF_OPEN
    assert switching.standing(line, now=NOON).decision.position == Position.CLOSED
    attempt = make_attempt(make_call(line))
    assert (attempt.redirect_first, attempt.breaker_because) == (False, "")


@pytest.mark.django_db
def test_a_probe_is_taken_by_the_first_who_claims_it() -> None:
    line = make_line()

    claims = [switching.claim_probe(line.pk, seen=None, now=at(seconds)) for seconds in (0, 1)]
    later = [switching.claim_probe(line.pk, seen=NOON, now=at(600 + seconds)) for seconds in (0, 1)]

    assert (claims, later) == ([True, False], [True, False])


@pytest.mark.django_db
def test_a_breaker_forced_meanwhile_gives_no_probe() -> None:
    line = make_line()
    force(line, Force.OPEN)

    assert not switching.claim_probe(line.pk, seen=None, now=NOON)


@pytest.mark.django_db
def test_whoever_lost_the_probe_is_redirected_first(monkeypatch: pytest.MonkeyPatch) -> None:
    line = sick_line(minutes_ago=10)
    call = make_call(line)
    real = switching.standing

    def beaten(line: Line, **when: Any) -> switching.Standing:
        seen = real(line, **when)
        switching.claim_probe(line.pk, seen=None, now=NOON)
        return seen

    monkeypatch.setattr(switching, "standing", beaten)

    assert make_attempt(call).redirect_first


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_the_same_moment_one_gets_the_probe() -> None:
    line, desk = sick_line(minutes_ago=10), make_destination()
    calls = [make_call(line), make_call(line)]
    both = Barrier(2, timeout=10)

    def ask(call: Call) -> bool:
        try:
            both.wait()
            return make_attempt(call, desk).redirect_first
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        redirected = sorted(threads.map(ask, calls))

    assert redirected == [False, True]


@pytest.mark.django_db
def test_a_wish_that_lost_against_another_takes_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    call = make_call(sick_line(minutes_ago=10))
    make_attempt(call)
    LineBreaker.objects.update(probe_at=None)
    Call.objects.update(state=State.LIVE)
    real = TransferAttempt.objects.open
    looks = iter([TransferAttempt.objects.none()])
    monkeypatch.setattr(type(TransferAttempt.objects), "open", lambda self: next(looks, None) or real())

    with pytest.raises(AnotherOpen):
        make_attempt(call)

    assert LineBreaker.objects.get().probe_at is None


NEVER_SWITCHED = [
    ("REFER only", {}, {}, {"policy": "refer_only"}),
    ("redirect only", {}, {}, {"policy": "redirect_only"}),
    ("a trunk line", {"topology": Topology.TRUNK}, {"topology": Topology.TRUNK}, {}),
    ("no carrier leg is known", {}, {"carrier_sid": None}, {}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "call", "wish"), [row[1:] for row in NEVER_SWITCHED], ids=[row[0] for row in NEVER_SWITCHED]
)
def test_what_cannot_or_may_not_be_redirected_is_never_switched(
    line: dict[str, Any], call: dict[str, Any], wish: dict[str, Any]
) -> None:
    of_line = sick_line(**line)
    force(of_line, Force.OPEN)

    attempt = make_attempt(make_call(of_line, **call), **wish)

    assert (attempt.redirect_first, attempt.breaker_because) == (False, "")


@pytest.mark.django_db
def test_a_caller_whose_own_leg_nobody_signed_for_is_not_switched() -> None:
    call = make_call(sick_line())
    call.legs.all().delete()

    attempt = make_attempt(call)

    assert (attempt.policy, attempt.redirect_first) == ("refer_then_redirect", False)


@pytest.mark.django_db
def test_one_lines_silence_is_not_anothers() -> None:
    sick_line()
    other = make_line(number="+15550101", name="Birchwood")

    assert not make_attempt(make_call(other)).redirect_first


@pytest.mark.django_db
def test_forcing_it_keeps_who_when_and_why_and_giving_it_back_too() -> None:
    line = make_line()

    force(line, Force.OPEN, by="anna", why=" the trunk is down ")
    opened = make_attempt(make_call(line))
    breaker = switching.release(line=line, by="ben", why="it is up again", now=at(60))

    assert (breaker.force, breaker.forced_by, breaker.forced_at, breaker.why) == (
        Force.AUTO, "ben", at(60), "it is up again",
    )  # fmt: skip
    assert opened.because.startswith("The breaker is forced open by anna (the trunk is down): the redirect went first.")
    assert [(act.by, act.force, act.why, act.at) for act in switching.history()] == [
        ("ben", "auto", "it is up again", at(60)),
        ("anna", "open", "the trunk is down", NOON),
    ]


@pytest.mark.django_db
def test_the_same_wish_sent_twice_is_one_act_and_one_without_a_reason_is_none() -> None:
    line = make_line()

    force(line, Force.OPEN)
    force(line, Force.OPEN, now=at(1))
    with pytest.raises(ReasonMissing):
        force(line, Force.CLOSED, why=" ")

    assert BreakerAct.objects.count() == 1
    assert LineBreaker.objects.get(line=line).force == Force.OPEN


@pytest.mark.django_db
def test_a_line_forced_closed_asks_for_a_refer_however_silent_it_was() -> None:
    line = sick_line()
    force(line, Force.CLOSED)

    assert not make_attempt(make_call(line)).redirect_first


@pytest.mark.django_db
def test_all_lines_are_read_together_as_each_is_read_alone(django_assert_num_queries: Any) -> None:
    busy, fine = sick_line(), make_line(number="+15550101", name="Birchwood")
    for index in range(30):
        make_refer(fine, at(-MINUTE * index - 10), "proven" if index < 12 else "late")
    make_refer(fine, NOON - timedelta(days=2))
    make_line(number="+15550102", name="Trunk", topology=Topology.TRUNK)
    force(fine, Force.OPEN)

    with django_assert_num_queries(2):
        together = switching.standings(now=NOON)

    alone = [switching.standing(line, now=NOON) for line in (fine, busy)]
    assert [(each.line, each.health, each.decision) for each in together] == [
        (each.line, each.health, each.decision) for each in alone
    ]
    assert (alone[0].health.proven, alone[0].health.late) == (12, 8)


@pytest.mark.django_db
def test_a_transfer_that_is_waited_for_says_nothing_of_the_line_yet() -> None:
    line = make_line()
    for index in range(7):
        make_refer(line, at(-index), refer_deadline_at=at(10), settled_at=None)

    assert switching.standing(line, now=NOON).health.known == 0
    assert switching.standing(line, now=at(10)).health.known == 7
    assert TransferAttempt.objects.count() == 7


@pytest.mark.django_db
def test_of_two_wishes_that_saw_the_same_moment_one_is_the_probe() -> None:
    """What the breaker says may be read before the call is locked; whose the probe is may not."""
    line = sick_line(minutes_ago=10)
    seen = switching.standing(line, now=NOON)

    ways = [switching.way_of(make_call(line), Policy.REFER_THEN_REDIRECT, now=NOON, seen=seen) for _ in range(2)]

    assert seen.decision.position == Position.HALF_OPEN
    assert [way.redirect_first for way in ways] == [False, True]


@pytest.mark.django_db
def test_what_was_seen_of_another_line_counts_for_nothing() -> None:
    seen = switching.standing(make_line(number="+15550777"), now=NOON)

    way = switching.way_of(make_call(sick_line()), Policy.REFER_THEN_REDIRECT, now=NOON, seen=seen)

    assert (way.redirect_first, way.because) == (True, SILENT)
