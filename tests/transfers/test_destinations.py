"""Whom a transfer rings, one after the other."""

from __future__ import annotations

import pytest

from callops.calls.models import Destination
from callops.transfers.destinations import MAX_STEPS, Target, chain_at, first_target, target_at
from tests.rows import make_attempt, make_call, make_destination

pytestmark = pytest.mark.django_db


def test_the_chain_is_followed_to_its_end() -> None:
    third = make_destination("third")
    second = make_destination("second", next=third)
    first = make_destination("first", next=second)
    attempt = make_attempt(make_call(), first)

    assert [target_at(attempt, step) for step in range(4)] == [
        Target(first.uri, "First"),
        Target(second.uri, "Second"),
        Target(third.uri, "Third"),
        None,
    ]


def test_the_first_target_is_the_one_that_was_asked_for_even_when_the_directory_changes() -> None:
    desk = make_destination(uri="tel:+15550111")
    attempt = make_attempt(make_call(), desk)
    Destination.objects.filter(pk=desk.pk).update(uri="tel:+15550119", label="Other")

    assert first_target(attempt) == Target("tel:+15550111", "Frontdesk")


def test_a_circle_ends_after_a_few_steps() -> None:
    desk = make_destination()
    desk.next = desk
    desk.save()

    assert chain_at(desk, MAX_STEPS) is not None
    assert chain_at(desk, MAX_STEPS + 1) is None


def test_nobody_follows_a_destination_that_was_deleted() -> None:
    attempt = make_attempt(make_call())
    Destination.objects.all().delete()
    attempt.refresh_from_db()

    assert target_at(attempt, 0) is not None
    assert target_at(attempt, 1) is None
    assert chain_at(None, 0) is None
