"""One owner per sideband: claimed by compare-and-set, kept by renewal, free again when it runs out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.calls.models import Call
from callops.core import beats, clock
from callops.sideband import leases
from callops.sideband.models import AiSession
from tests.rows import at, make_call, make_session

pytestmark = pytest.mark.django_db

TWO = ("engine-1", "engine-2")


@pytest.fixture
def session() -> AiSession:
    return make_session(make_call())


def test_of_two_engines_one_gets_the_socket(session: AiSession) -> None:
    assert [leases.claim(session.pk, owner=owner, now=at(0)) for owner in TWO] == [True, False]
    assert leases.wanted(at(1)) == []


def test_a_dead_owners_socket_is_free_when_its_lease_has_run_out(session: AiSession) -> None:
    leases.claim(session.pk, owner=TWO[0], now=at(0))

    assert leases.wanted(at(leases.LEASE_S + 1)) == [(session.pk, session.call_id)]
    assert leases.claim(session.pk, owner=TWO[1], now=at(leases.LEASE_S + 1))


def test_an_owner_who_died_leaves_a_call_that_may_miss_something(session: AiSession) -> None:
    AiSession.objects.update(opened_at=at(0))
    leases.claim(session.pk, owner=TWO[0], now=at(0))

    leases.claim(session.pk, owner=TWO[1], now=at(leases.LEASE_S + 1))

    assert Call.objects.get(pk=session.call_id).incomplete


def test_an_owner_who_gave_the_lease_back_kept_all_it_had_read(session: AiSession) -> None:
    AiSession.objects.update(opened_at=at(0))
    leases.claim(session.pk, owner=TWO[0], now=at(0))
    leases.release(TWO[0])

    leases.claim(session.pk, owner=TWO[1], now=at(leases.LEASE_S + 1))

    assert not Call.objects.get(pk=session.call_id).incomplete


def test_a_renewed_lease_goes_on_and_a_lost_one_is_told(session: AiSession) -> None:
    leases.claim(session.pk, owner=TWO[0], now=at(0))

    assert leases.renew([session.pk], owner=TWO[0], now=at(4)) == {session.pk}
    assert leases.renew([session.pk], owner=TWO[1], now=at(4)) == set()
    assert leases.wanted(at(8)) == []


def test_a_lease_is_renewed_when_it_is_due_and_no_sooner(session: AiSession) -> None:
    leases.claim(session.pk, owner=TWO[0], now=at(0))
    due_s = leases.RENEWED_AFTER_S

    assert leases.renew([session.pk], owner=TWO[0], now=at(due_s - 0.1)) == {session.pk}
    assert leases.wanted(at(leases.LEASE_S + 0.1)) == [(session.pk, session.call_id)]
    assert leases.renew([session.pk], owner=TWO[0], now=at(due_s + 0.1)) == {session.pk}
    assert leases.wanted(at(due_s + leases.LEASE_S)) == []
    assert leases.wanted(at(due_s + leases.LEASE_S + 0.2)) == [(session.pk, session.call_id)]


def test_a_lease_given_back_is_free_at_once(session: AiSession) -> None:
    leases.claim(session.pk, owner=TWO[0], now=at(0))

    leases.release(TWO[1])
    assert leases.wanted(at(0)) == []
    leases.release(TWO[0])

    assert leases.wanted(at(0)) == [(session.pk, session.call_id)]


@pytest.mark.parametrize("fields", [{"accepted_at": None}, {"closed_at": at(1)}], ids=["not accepted", "over"])
def test_only_accepted_unfinished_sessions_are_wanted(fields: dict[str, object]) -> None:
    make_session(make_call(), **fields)

    assert leases.wanted(at(2)) == []


@pytest.mark.django_db(transaction=True)
def test_a_look_that_finds_nobody_waiting_is_one_query_and_opens_no_transaction(
    django_assert_num_queries: Any,
) -> None:
    held = {make_session(make_call()).pk for _ in range(3)}
    assert set(leases.claim_share(owner=TWO[0], capacity=9)) == held

    for owner, but_not in [(TWO[0], held), (TWO[1], set())]:
        with django_assert_num_queries(1):
            assert leases.claim_share(owner=owner, capacity=9, but_not=but_not) == []


@pytest.mark.django_db(transaction=True)
def test_sessions_are_taken_and_kept_with_as_many_statements_however_many_they_are(
    django_assert_num_queries: Any,
) -> None:
    for _ in range(20):
        make_session(make_call())

    with django_assert_num_queries(7):  # who waits, how many are held, how many engines; BEGIN, lock, take, COMMIT
        taken = leases.claim_share(owner=TWO[0], capacity=30)
    with django_assert_num_queries(1):  # which are still ours: none is due
        assert leases.renew(taken, owner=TWO[0]) == set(taken)
    with django_assert_num_queries(5):  # which are still ours; BEGIN, lock, renew, COMMIT
        assert leases.renew(taken, owner=TWO[0], now=clock.now() + timedelta(seconds=2)) == set(taken)


@pytest.mark.django_db(transaction=True)
def test_who_may_take_none_of_those_who_wait_opens_no_transaction(django_assert_num_queries: Any) -> None:
    full = make_session(make_call())
    leases.claim(full.pk, owner=TWO[0])
    beats.engine_lives(TWO[1], clock.now())
    make_session(make_call(), accepted_at=clock.now())

    with django_assert_num_queries(3):
        assert leases.claim_share(owner=TWO[0], capacity=1, but_not={full.pk}) == []


def test_a_share_is_no_more_than_the_room_there_is() -> None:
    now = clock.now()
    waiting = [make_session(make_call(), accepted_at=now).pk for _ in range(5)]

    assert leases.claim_share(owner=TWO[0], capacity=2) == waiting[:2]
    assert leases.claim_share(owner=TWO[0], capacity=3, but_not=waiting[:2]) == waiting[2:3]
