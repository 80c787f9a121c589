"""Typed addresses: who may, how often, and when a second person has to agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.calls.models import Call
from callops.transfers import typed
from callops.transfers.commands import TargetRefused, approved_transfer, request_transfer
from callops.transfers.models import Approval, TransferAttempt
from callops.transfers.typed import ApprovalGone, ApprovalWanted, TooOften
from tests.rows import NOON, at, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db

NUMBER = "tel:+12025550123"


@pytest.fixture(autouse=True)
def _settings(configure) -> None:
    configure(typed_countries=("US",), typed_alone_an_hour=1, transfers_an_hour=3)


@pytest.fixture
def line():
    return make_line()


def ask(call: Call, now=NOON, **wish: Any) -> TransferAttempt:
    return request_transfer(**{"call": call, "asked_by": "nora", "now": now, "uri": NUMBER, "may_type": True, **wish})


def wanted(call: Call, now=NOON, **wish: Any) -> Approval:
    with pytest.raises(ApprovalWanted, match="second person") as waiting:
        ask(call, now, **wish)
    return waiting.value.approval


def test_who_may_type_reaches_a_number_that_is_not_in_the_directory(line) -> None:
    attempt = ask(make_call(line))

    assert (attempt.target_uri, attempt.target_label, attempt.destination) == (NUMBER, "+12025550123", None)


def test_who_may_not_reaches_the_directory_only(line) -> None:
    desk = make_destination(uri=NUMBER)

    assert ask(make_call(line), may_type=False).destination == desk
    with pytest.raises(TargetRefused, match="not in the directory"):
        ask(make_call(line), may_type=False, uri="tel:+12025550124")
    with pytest.raises(TargetRefused, match="premium-rate"):
        ask(make_call(line), uri="tel:+19005550123")


def test_one_typed_address_more_than_allowed_waits_for_a_second_person_and_is_then_asked_for(line) -> None:
    ask(make_call(line))
    call = make_call(line)

    approval = wanted(call, key="k-1", summary="Wants billing.")
    assert wanted(call, key="k-1") == approval
    assert not call.transfers.exists()
    assert typed.open_approvals(call, now=at(1)) == [approval]

    agreed = typed.decide(approval.pk, by="omar", now=at(5), agreed=True)
    attempt = approved_transfer(agreed, now=at(5))

    assert (attempt.requested_by, attempt.key, attempt.summary) == ("nora", "k-1", "Wants billing.")
    assert attempt.reason == "agreed to by omar"
    assert Approval.objects.get().attempt == attempt
    assert ask(call, key="k-1") == attempt
    assert kinds(call) == ["operator.approval_asked", "operator.approved", "operator.transfer_asked"]


def test_nobody_agrees_to_what_they_asked_for_and_nobody_decides_twice_or_too_late(line) -> None:
    ask(make_call(line))
    call = make_call(line)
    first, second = wanted(call, key="k-1"), wanted(call, key="k-2")

    with pytest.raises(ApprovalGone, match="second person"):
        typed.decide(first.pk, by="nora", now=at(1), agreed=True)
    typed.decide(first.pk, by="omar", now=at(1), agreed=False)
    with pytest.raises(ApprovalGone, match="decided already"):
        typed.decide(first.pk, by="omar", now=at(2), agreed=True)
    with pytest.raises(ApprovalGone, match="waited too long"):
        typed.decide(second.pk, by="omar", now=NOON + timedelta(minutes=3), agreed=True)
    with pytest.raises(ApprovalGone):
        typed.decide("nothing", by="omar", now=at(1), agreed=True)
    assert not call.transfers.exists()
    assert typed.open_approvals(call, now=NOON + timedelta(minutes=3)) == []


def test_an_address_of_the_directory_is_not_counted_as_typed(line) -> None:
    make_destination(uri=NUMBER)
    ask(make_call(line))
    ask(make_call(line))

    assert not Approval.objects.exists()


def test_so_many_transfers_an_hour_and_no_more_but_for_the_assistant(line) -> None:
    make_destination()
    for minute in range(3):
        make_attempt(make_call(line), asked_by="nora", now=NOON + timedelta(minutes=minute))

    with pytest.raises(TooOften, match="3 transfers within an hour") as refused:
        make_attempt(make_call(line), asked_by="nora", now=NOON + timedelta(minutes=30))
    assert refused.value.retry_s == 30 * 60
    make_attempt(make_call(line), asked_by="omar", now=NOON + timedelta(minutes=30))
    make_attempt(make_call(line), asked_by="nora", now=NOON + timedelta(minutes=61))
    for _ in range(5):
        make_attempt(make_call(line), asked_by="assistant", now=NOON)
