"""A row or a few are read and written as the ORM would have done it."""

from __future__ import annotations

import pytest
from django.db.transaction import TransactionManagementError, atomic

from callops.calls.models import Call, Event, Leg
from callops.core import few_rows
from callops.sideband.models import AiSession
from tests.rows import at, make_call, make_leg, make_session

pytestmark = pytest.mark.django_db

EVENT = ("call", "seq", "at", "lane", "kind", "body", "source", "source_id")


def event(call: Call, number: int, source_id: str | None = None) -> tuple:
    return (call.pk, number, at(number), "us", "us.fault", {"what": ["é", number]}, "callops", source_id)


def test_moments_flags_objects_and_nothing_are_read_as_the_orm_reads_them() -> None:
    call = make_call()
    make_session(call, usage={"in": 3}, opened_at=at(1), busy=True)

    ((usage, opened_at, closed_at, busy, owner),) = few_rows.values(
        AiSession, ["usage", "opened_at", "closed_at", "busy", "call"], call=call.pk, closed_at=None
    )

    assert (usage, opened_at, closed_at, busy, owner) == ({"in": 3}, at(1), None, True, call.pk)


def test_rows_are_found_by_one_of_several_values_and_know_what_was_asked_for_in_any_order() -> None:
    call = make_call()
    make_leg(call, sid="CAhuman", role="human", screened=True)

    rows = few_rows.rows(Leg, ["screened", "sid", "role"], call=call.pk, role=("human", "ai"))

    assert sorted((row.role, row.screened) for row in rows) == [("ai", False), ("human", True)]
    assert "CAhuman" in {row.sid for row in rows}


def test_a_row_is_locked_with_its_fields_or_is_said_to_be_missing() -> None:
    call = make_call()

    with atomic():
        assert few_rows.locked(Call, call.pk, ["state", "ai_dialled_at"]).ai_dialled_at == call.ai_dialled_at
        with pytest.raises(Call.DoesNotExist):
            few_rows.locked(Call, "nobody", ["state"])


@pytest.mark.django_db(transaction=True)
def test_a_row_cannot_be_locked_outside_a_transaction_where_the_lock_would_be_gone_at_once() -> None:
    with pytest.raises(TransactionManagementError):
        few_rows.locked(Call, make_call().pk, ["state"])


def test_a_row_that_is_inserted_is_the_one_the_orm_makes() -> None:
    call = make_call()
    fields = {"webhook_at": at(0), "created_at": at(0), "usage": {"é": 1}}
    session = AiSession(call_id=call.pk, ai_call_id="rtc_few", **fields)

    few_rows.insert(session)

    theirs = AiSession.objects.create(call=call, ai_call_id="rtc_orm", **fields)
    named = [each.attname for each in AiSession._meta.concrete_fields if each.name not in ("id", "ai_call_id")]
    ours, theirs_as_kept = (
        [getattr(row, name) for name in named]
        for row in AiSession.objects.filter(pk__in=[session.pk, theirs.pk]).order_by("pk")
    )
    assert ours == theirs_as_kept


def test_a_row_is_changed_and_read_afterwards_or_is_said_to_be_missing() -> None:
    call = make_call()

    changed = few_rows.change(Call, call.pk, {"ended_at": at(3), "line": None}, ["state", "ended_at"])

    assert (changed.state, changed.ended_at) == ("live", at(3))
    with pytest.raises(Call.DoesNotExist):
        few_rows.change(Call, "nobody", {"ended_at": None})


def test_of_new_rows_those_that_are_known_are_left_out_and_the_others_say_what_they_are() -> None:
    call = make_call()
    first = few_rows.insert_new(Event, EVENT, [event(call, 1, "a")], once=("source", "source_id"), back=("seq", "pk"))

    rows = [event(call, 2, "a"), event(call, 3), event(call, 4)]
    new = few_rows.insert_new(Event, EVENT, rows, once=("source", "source_id"), back=("seq", "pk"))

    assert [seq for seq, _ in first] == [1]
    assert sorted(new) == list(Event.objects.filter(seq__gte=3).order_by("seq").values_list("seq", "pk"))
    assert Event.objects.get(seq=4).body == {"what": ["é", 4]}
