"""One owner per sideband: claimed by compare-and-set, kept by renewal, free again when it runs out."""

from __future__ import annotations

import pytest

from callops.calls.models import Call
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
