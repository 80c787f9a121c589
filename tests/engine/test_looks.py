"""What an engine looks for again and again: few statements, nothing that writes where nothing is found, no history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callops.alerts import watching
from callops.canary import keeping
from callops.core import clock
from callops.custody import clocks
from callops.engine import engine, reconciling
from callops.sideband import acceptance, joining, leases, succession
from callops.sideband.models import AiSession
from callops.supervision.models import Act, Intervention
from callops.transfers import steps
from tests.rows import at, make_attempt, make_call, make_line, make_session

pytestmark = pytest.mark.django_db(transaction=True)

OWNER = "engine-1"
AN_HOUR = timedelta(hours=1)
TURNS: dict[str, Callable[..., Any]] = {
    "incidents": watching.look_in_turn,
    "test calls": keeping.look_in_turn,
    "the carrier's list": partial(reconciling.is_our_turn, at_start=False),
    "what is kept": clocks.run_in_turn,
}


@pytest.fixture
def held() -> set[int]:
    """The sessions of three calls that talk, held by us, beside two calls of the past."""
    now, line = clock.now(), make_line()
    for _ in range(2):
        past = make_call(line, state="ended", ai_session="closed", ended_at=now - AN_HOUR)
        make_session(past, opened_at=now - AN_HOUR, closed_at=now - AN_HOUR)
    lease = {"lease_owner": OWNER, "lease_until": now + AN_HOUR}
    fresh = {"webhook_at": now, "created_at": now, "accepted_at": now, "opened_at": now}
    return {make_session(make_call(line, started_at=now), **fresh, **lease).pk for _ in range(3)}


def looks(held: set[int]) -> dict[str, tuple[int, Callable[[], Any]]]:
    """What is looked for, with how many statements, when there is nothing to be found."""
    now = clock.now()
    return {
        "who waits for an engine": (1, partial(leases.claim_share, owner=OWNER, capacity=9, but_not=held)),
        "what people want": (3, partial(engine._wishes, now, held)),
        "transfers": (2, partial(steps.due_and_next, now)),
        "what the clock finds": (7, partial(engine._found_by_clock, now)),
        "sidebands on offer": (1, partial(succession.offered, OWNER)),
        "decisions to take over": (1, partial(acceptance.undecided, now)),
        "halves to be joined": (1, partial(joining.questions, now)),
    }


def test_a_look_that_finds_nothing_takes_few_statements_and_opens_no_transaction(held: set[int]) -> None:
    for name, (count, look) in looks(held).items():
        with CaptureQueriesContext(connection) as asked:
            look()

        told = [query["sql"] for query in asked.captured_queries]
        assert len(told) == count, name
        assert all(sql.startswith("SELECT") for sql in told), name


def test_no_look_reads_through_what_is_past(held: set[int]) -> None:
    """SQLite plans by a query's text alone: what it would do with a hundred thousand calls it does with five.

    PostgreSQL plans by what its tables hold, and reads through small ones.
    """
    if connection.vendor != "sqlite":
        return
    plans: dict[str, list[str]] = {}

    def explain(name: str, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raw = connection.create_cursor()
        raw.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        plans.setdefault(name, []).extend(row[3] for row in raw.fetchall())
        return execute(sql, params, many, context)

    for name, (_, look) in looks(held).items():
        with connection.execute_wrapper(partial(explain, name)):
            look()

    assert plans.keys() == looks(held).keys()
    through = [
        (name, step)
        for name, plan in plans.items()
        for step in plan
        if step.startswith("SCAN") and not any(index in step for index in ("session_unfinished", "intervention_waits"))
    ]
    assert through == []


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_before_it_is_time_for_a_turn_it_takes_one_query(turn: Callable[..., Any]) -> None:
    now = clock.now()
    turn(now)

    with CaptureQueriesContext(connection) as asked:
        assert not turn(now + timedelta(milliseconds=500))

    assert [query["sql"].split()[0] for query in asked.captured_queries] == ["SELECT"]


def test_test_calls_are_looked_for_with_two_queries_where_there_are_none() -> None:
    keeping.look_in_turn(at(0))

    with CaptureQueriesContext(connection) as asked:
        assert keeping.look_in_turn(at(5)) == []

    assert [query["sql"].split()[0] for query in asked.captured_queries] == ["SELECT", "UPDATE", "SELECT", "SELECT"]


def test_acts_are_handed_over_in_the_order_they_were_asked(held: set[int]) -> None:
    first, second = sorted(held)[:2]
    calls = dict(AiSession.objects.filter(pk__in=held).values_list("pk", "call_id"))
    asked = {"act": Act.WHISPER, "by": "nora", "asked_at": clock.now()}
    for number, session_id in enumerate((second, first, second), start=1):
        Intervention.objects.create(id=f"{number}", call_id=calls[session_id], **asked)
    Intervention.objects.create(id="0", call_id=calls[first], step="sent", **asked)

    _, acts, _ = engine._wishes(clock.now(), held)
    _, others, _ = engine._wishes(clock.now(), {first})

    assert acts == [(second, "1"), (first, "2"), (second, "3")]
    assert others == [(first, "2")]


def test_what_waits_for_a_transfer_is_found_with_one_query(django_assert_num_queries: Any) -> None:
    attempt = make_attempt(make_call(make_line()))

    with django_assert_num_queries(1):
        assert steps.due_and_next(at(0)) == ([attempt.pk], attempt.due_at)
