"""Many rows at once are the rows the ORM would have written."""

from __future__ import annotations

import pytest

from callops.calls.models import Call, Event
from callops.calls.words import State
from callops.core import bulk
from callops.sideband.models import AiSession, FrameBatch, Turn
from tests.rows import at, make_call, make_session

pytestmark = pytest.mark.django_db

EVENT = ["call", "seq", "at", "lane", "kind", "body", "source", "source_id"]


def event(call: Call, number: int) -> tuple:
    return (call.pk, number, at(number), "us", "us.fault", {"what": ["é", number]}, "", None)


def test_as_many_rows_as_take_several_statements_are_all_there_as_they_were_given() -> None:
    call = make_call()

    bulk.insert(Event, EVENT, (event(call, number) for number in range(1, 2 * bulk.ROWS_IN_ONE + 2)))

    rows = list(Event.objects.order_by("seq"))
    assert len(rows) == 2 * bulk.ROWS_IN_ONE + 1
    assert (rows[6].at, rows[6].body, rows[6].source_id) == (at(7), {"what": ["é", 7]}, None)


def test_bytes_are_kept_to_the_last_one() -> None:
    session = make_session(make_call())
    everything = bytes(range(256))

    bulk.insert(
        FrameBatch, ["session", "first", "count", "received_at", "packed"], [(session.pk, 0, 1, at(0), everything)]
    )

    assert bytes(FrameBatch.objects.get().packed) == everything


def test_a_row_with_a_known_key_gets_the_new_values_and_the_others_are_made() -> None:
    call = make_call()
    names = ["call", "item_id", "position", "speaker", "text", "final", "partial", "detail", "started_at", "rev"]
    rows: list[tuple] = [(call.pk, item, 0, "caller", "before", False, False, {}, at(0), 1) for item in ("a", "b")]
    bulk.upsert(Turn, names, rows, key=["call", "item_id"])
    later: list[tuple] = [(call.pk, item, 1, "caller", "after", True, False, {"x": 1}, at(1), 2) for item in ("b", "c")]

    bulk.upsert(Turn, names, later, key=["call", "item_id"])

    turns = Turn.objects.order_by("item_id").values_list("item_id", "text", "final", "rev")
    assert list(turns) == [("a", "before", False, 1), ("b", "after", True, 2), ("c", "after", True, 2)]


def test_each_named_row_gets_its_own_values() -> None:
    first, second, third = make_call(), make_call(), make_call()

    bulk.update(Call, ["turn_rev", "ended_at"], [(first.pk, 4, at(4)), (second.pk, 5, None)])

    seen = {call.pk: (call.turn_rev, call.ended_at) for call in Call.objects.all()}
    assert seen == {first.pk: (4, at(4)), second.pk: (5, None), third.pk: (0, None)}


def test_a_number_is_raised_and_told_and_a_row_that_is_gone_has_none() -> None:
    call = make_call()

    assert [bulk.raise_by(Call, call.pk, "last_seq", 2), bulk.raise_by(Call, call.pk, "last_seq", 3)] == [2, 5]
    assert bulk.raise_by(Call, "nobody", "last_seq", 1) is None


def test_numbers_of_many_rows_are_raised_by_their_own_steps_and_told() -> None:
    first, second, third = make_call(last_seq=7), make_call(), make_call()

    raised = bulk.raise_all(Call, "last_seq", {second.pk: 2, first.pk: 3, "nobody": 4})

    assert raised == {first.pk: 10, second.pk: 2}
    assert dict(Call.objects.values_list("pk", "last_seq")) == {first.pk: 10, second.pk: 2, third.pk: 0}


def test_rows_are_locked_in_the_order_of_their_keys_and_only_those_that_are_so() -> None:
    ours, others = make_session(make_call(), lease_owner="us"), make_session(make_call(), lease_owner="them")
    also_ours = make_session(make_call(), lease_owner="us", frames=3)

    found = bulk.locked(
        AiSession, ["pk", "frames"], [also_ours.pk, others.pk, ours.pk, 999_999], only={"lease_owner": "us"}
    )

    assert [*map(tuple, found)] == [(ours.pk, 0), (also_ours.pk, 3)]


def test_what_came_after_a_cursor_is_found_for_many_owners_with_the_count_of_all_they_have() -> None:
    calls = [make_call(), make_call(), make_call()]
    bulk.insert(Event, EVENT, [event(call, number) for call in calls for number in (1, 2, 3)])

    found = bulk.after(Event, "call", "seq", {calls[0].pk: 1, calls[2].pk: 3}, count_as="count")

    assert sorted((each.call_id, each.seq, vars(each)["count"]) for each in found) == [
        (calls[0].pk, 2, 3),
        (calls[0].pk, 3, 3),
    ]
    assert (found[0].at, found[0].body) == (at(found[0].seq), {"what": ["é", found[0].seq]})


def test_nothing_is_nothing() -> None:
    bulk.insert(Event, EVENT, [])
    bulk.update(Call, ["turn_rev"], [])

    assert bulk.raise_all(Call, "turn_rev", {}) == {}
    assert bulk.locked(Call, ["pk"], [], only={}) == []
    assert bulk.after(Event, "call", "seq", {}) == []
    assert Event.objects.count() == 0


def test_one_row_is_added_and_one_is_changed_as_they_were_given() -> None:
    call, other = make_call(), make_call()

    bulk.add(Event, dict(zip(EVENT, event(call, 7), strict=True)))
    bulk.change(Call, call.pk, {"state": State.TRANSFERRING, "ended_at": at(4), "ai_call_id": None})

    (row,) = Event.objects.all()
    call.refresh_from_db()
    assert (row.call_id, row.seq, row.at, row.body, row.source_id) == (call.pk, 7, at(7), {"what": ["é", 7]}, None)
    assert (call.state, call.ended_at, call.ai_call_id) == ("transferring", at(4), None)
    assert Call.objects.get(pk=other.pk).state == "live"


def test_the_rows_of_one_owner_are_found_as_the_orm_finds_them() -> None:
    call, other = make_call(), make_call()
    bulk.insert(Event, EVENT, [event(call, 1), event(other, 1), event(call, 2)])

    found = sorted(bulk.of(Event, "call", call.pk), key=lambda row: row.seq)

    assert found == list(Event.objects.filter(call=call).order_by("seq"))
    assert [(row.at, row.body) for row in found] == [(at(seq), {"what": ["é", seq]}) for seq in (1, 2)]
