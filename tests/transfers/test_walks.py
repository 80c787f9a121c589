"""Every order in which facts, faults, deaths and changes of mind may come: no caller is lost and none is doubled.

The street (tests/street) is a model of the carrier and of OpenAI, exact to contract Twilio 2.3, 3.2 and 3.3; our doors
and the engine's own coroutines run as they are. What a search found is kept below as a walk of its own.
CALLOPS_WALKS=1000 walks a thousand random walks and every policy; CALLOPS_DEPARTURES=2 leaves each fair walk twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.street.carrier import Street
from tests.street.jobs import seams
from tests.street.promises import check, check_end
from tests.street.search import Search
from tests.street.world import Budget, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(0 if "CALLOPS_WALKS" in os.environ else 600)]

WALKS = int(os.environ.get("CALLOPS_WALKS", "25"))
DEPARTURES = int(os.environ.get("CALLOPS_DEPARTURES", "1"))
POLICIES = ("refer_then_redirect", "refer_only", "redirect_only")
SEARCHED = POLICIES if "CALLOPS_WALKS" in os.environ else POLICIES[:2]
"""Redirect only is the second half of the first."""

FOUND = {
    "an operator's wish to end the call died with the process that claimed it": (
        "refer_only",
        ["operator hangs up", "a looks", "a: end runs claim_end", "a dies"],
    ),
    "a fallback's human hung up and the caller was dropped out of an open transfer": (
        "redirect_only",
        [
            *("operator cancels", "AI leg ends", "deliver ai completed", "deliver action of ai"),
            *("human answers", "deliver human in-progress", "operator asks redirect_only"),
            *("human hangs up", "deliver action of human"),
        ],
    ),
    "the ring of a REFER that a redirect cut short settled the transfer, and the caller went back to the AI": (
        "refer_then_redirect",
        [
            *("a looks", "a: move 1 runs take", "a: move 1 refer is taken"),
            *("a: move 1 refer is answered 200", "a: move 1 runs refer_answered"),
            *("a: move 1 runs claim_waiting", "time passes", "a looks", "a: move 1 runs take"),
            *("REFER arrives", "deliver referUrl"),
            *("a: move 1 redirect is applied", "deliver human canceled", "deliver ai completed"),
            *("deliver action of human, ignored", "deliver document"),
        ],
    ),
}
"""Walks on which a promise was broken once."""


@pytest.fixture(autouse=True)
def _seams(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with seams(monkeypatch):
        yield


@pytest.mark.parametrize("bug", FOUND)
def test_bug_a_walk_that_broke_a_promise_keeps_it(bug: str) -> None:
    policy, moves = FOUND[bug]
    budget = Budget(transfers=1, faults=0)
    world = World(policies=(policy,), budget=budget).begin()

    for move in moves:
        world.do(move)
        check(world)

    check_end(world)


@pytest.mark.parametrize("policy", SEARCHED)
def test_whatever_happens_out_of_turn_no_caller_is_lost_or_doubled(policy: str) -> None:
    search = Search()

    search.walk(World(policies=(policy,)).begin(), DEPARTURES)

    assert not search.found, "\n".join(map(str, search.found.values()))
    assert search.ends > 20


class Walk(RuleBasedStateMachine):
    """A walk on which hypothesis chooses who does what next."""

    @initialize(
        policies=st.sampled_from([*[(policy,) for policy in POLICIES], POLICIES[:2]]),
        budget=st.builds(
            Budget,
            transfers=st.integers(0, 1),
            cancels=st.integers(0, 1),
            deaths=st.integers(0, 2),
            faults=st.integers(0, 4),
            departures=st.integers(0, 2),
        ),
        number_status=st.booleans(),
        action_after_refer=st.booleans(),
    )
    def begin(self, policies: tuple[str, ...], budget: Budget, number_status: bool, action_after_refer: bool) -> None:
        self.savepoint = transaction.savepoint()
        street = Street(number_status=number_status, action_after_refer=action_after_refer)
        self.world = World(budget=budget, policies=policies, street=street)
        self.world.begin()

    @rule(choice=st.integers(0, 59))
    def something_happens(self, choice: int) -> None:
        if moves := list(self.world.moves()):
            self.world.do(moves[choice % len(moves)])
            check(self.world)

    def teardown(self) -> None:
        """Everybody has their turn, and nothing of the walk is left."""
        if hasattr(self, "world"):
            try:
                check_end(self.world)
            finally:
                transaction.savepoint_rollback(self.savepoint)


def test_no_random_walk_loses_or_doubles_a_caller() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=40,
            deadline=None,
            derandomize="CALLOPS_WALKS" not in os.environ,
            database=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
