"""A sideband changes hands while it is read: offered, inherited, heard, handed over; and each step has one winner."""

from __future__ import annotations

import pytest

from callops.calls.models import Call
from callops.core import clock
from callops.sideband import leases, succession
from callops.sideband.models import AiSession
from tests.rows import at, make_call, make_session

pytestmark = pytest.mark.django_db

OLD, NEW, THIRD = "engine-1", "engine-2", "engine-3"


@pytest.fixture
def session() -> AiSession:
    made = make_session(make_call(), opened_at=at(0))
    assert leases.claim(made.pk, owner=OLD)
    return made


def test_what_is_offered_has_one_heir_and_is_the_owners_until_the_heir_hears(session: AiSession) -> None:
    succession.offer(OLD)

    assert (succession.offered(NEW), succession.offered(OLD)) == ([session.pk], [])
    assert [succession.inherit(session.pk, heir) for heir in (NEW, THIRD)] == [True, False]
    assert (succession.relieved(OLD), succession.hand_over(session.pk, OLD)) == ([], False)
    assert succession.take_up(session.pk, NEW) is None
    assert leases.renew([session.pk], owner=NEW) == {session.pk}


def test_once_the_heir_hears_the_owner_leaves_and_nothing_is_incomplete(session: AiSession) -> None:
    succession.offer(OLD)
    succession.inherit(session.pk, NEW)
    succession.hears(session.pk, NEW)

    assert succession.relieved(OLD) == [session.pk]
    assert succession.hand_over(session.pk, OLD)

    assert succession.take_up(session.pk, NEW) is True
    assert leases.renew([session.pk], owner=OLD) == set()
    assert not Call.objects.get(pk=session.call_id).incomplete


def test_an_heir_that_cannot_attach_makes_way_for_another(session: AiSession) -> None:
    succession.offer(OLD)
    succession.inherit(session.pk, NEW)

    succession.decline(session.pk, NEW)

    assert succession.take_up(session.pk, NEW) is False
    assert succession.inherit(session.pk, THIRD)


def test_an_owner_who_dies_while_handing_over_leaves_the_sideband_to_the_heir_and_a_call_that_says_so(
    session: AiSession,
) -> None:
    succession.offer(OLD)
    succession.inherit(session.pk, NEW)
    AiSession.objects.update(lease_until=at(0))

    assert succession.take_up(session.pk, NEW) is True
    assert Call.objects.get(pk=session.call_id).incomplete


def test_leases_are_measured_by_the_databases_clock_whatever_this_process_believes(session: AiSession) -> None:
    with clock.standing_at(at(10**9)):
        assert leases.wanted() == []
        assert not leases.claim(session.pk, owner=NEW)
        assert leases.renew([session.pk], owner=OLD) == {session.pk}


def test_a_full_engine_leaves_a_fresh_call_to_others(session: AiSession) -> None:
    fresh = make_session(make_call(), accepted_at=clock.now())

    assert leases.claim_share(owner=OLD, capacity=1, but_not=[session.pk]) == []
    assert leases.claim_share(owner=NEW, capacity=1) == [fresh.pk]
