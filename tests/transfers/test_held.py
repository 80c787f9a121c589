"""An attempt in hand: locked after its call, read once, and written as far as it changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Moment

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.transfers import evidence
from callops.transfers.models import TransferAttempt
from callops.transfers.verdict import FactKind
from tests.rows import at, make_attempt, make_call, make_destination, make_line


def asked() -> TransferAttempt:
    make_destination(uri="tel:+15550111")
    return make_attempt(make_call(make_line()))


@pytest.mark.django_db
def test_only_what_changed_in_hand_is_written_and_nothing_when_nothing_did() -> None:
    held = evidence.hold(asked().pk)
    TransferAttempt.objects.update(summary="written by another way meanwhile")

    held.attempt.due_at = at(9)
    with CaptureQueriesContext(connection) as written:
        held.save()
        held.save()

    row = TransferAttempt.objects.get()
    assert (row.due_at, row.summary) == (at(9), "written by another way meanwhile")
    assert len(written) == 1


@pytest.mark.django_db
def test_a_fact_that_is_in_hand_already_is_kept_once_and_judged_as_it_would_be_read_again() -> None:
    attempt = asked()
    event = timeline.note(attempt.call, at=at(1), kind=Kind.CARRIER_REFER, lane=Lane.CARRIER)
    held = evidence.hold(attempt.pk)

    for _ in range(2):
        evidence.add(held, FactKind.REFER_SEEN, at=at(1), event=event, detail={"target": "a\x00", "pair": (1, 2)})

    assert held.facts == evidence.facts_of(TransferAttempt.objects.get())
    assert [fact.kind for fact in held.facts] == ["asked", "refer_seen"]
    assert held.facts[1].detail == {"target": "a\ufffd", "pair": [1, 2]}


@pytest.mark.django_db
def test_a_fact_that_neither_opens_nor_settles_a_transfer_leaves_its_call_alone() -> None:
    attempt = asked()
    event = timeline.note(attempt.call, at=at(1), kind=Kind.OPENAI_REFER_ANSWERED, lane=Lane.OPENAI)

    with CaptureQueriesContext(connection) as asked_for:
        evidence.add(attempt.pk, FactKind.REFER_ANSWERED, at=at(1), event=event, detail={"status": 200})

    assert not [each for each in asked_for if "calls_call" in each["sql"] and "UPDATE" in each["sql"].split("FOR")[0]]


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_the_call_gets_its_transfer_although_another_waits_for_both() -> None:
    """The call is locked before the transfer: who waits for the call holds nothing."""
    attempt, begins = asked(), Moment()

    def wait_for_both() -> str:
        try:
            with transaction.atomic():
                begins.set()
                return evidence.locked(attempt.pk).state
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as threads:
        with transaction.atomic():
            Call.objects.select_for_update().get(pk=attempt.call_id)
            other = threads.submit(wait_for_both)
            if connection.vendor == "postgresql":
                _until_somebody_waits(begins)
            rows = TransferAttempt.objects.select_for_update(nowait=connection.features.has_select_for_update_nowait)
            rows.get(pk=attempt.pk)
            TransferAttempt.objects.update(state="running")

        assert other.result(timeout=20) == "running"


def _until_somebody_waits(begins: Moment) -> None:
    begins.wait(timeout=20)
    with connection.cursor() as cursor:
        for _ in range(100_000):
            cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for the call")
