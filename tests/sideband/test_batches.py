"""Batches of many calls in one transaction: each under its own lease, each on its own timeline."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane
from callops.sideband import batches, journal
from callops.sideband.batches import Batch
from callops.sideband.models import AiSession, FrameBatch, Turn
from callops.sideband.turns import TurnState
from tests.rows import at, make_call, make_session

pytestmark = pytest.mark.django_db

OWNER = "engine-1"
FRAME = (1_790_000_000_000, b'{"type": "input_audio_buffer.cleared"}')


def session_of(owner: str = OWNER, call: Call | None = None, **fields: object) -> AiSession:
    return make_session(call or make_call(), lease_owner=owner, **fields)


def batch_of(session: AiSession, *, first: int = 0, text: str = "Hello", events: int = 1) -> Batch:
    said = TurnState("item_1", "caller", text, True, False, None, 1_790_000_000_000, {})
    facts = [NewEvent(at=at(number), kind=Kind.OPENAI_DTMF, lane=Lane.CALLER, body={}) for number in range(events)]
    turns = {"item_1": (0, said)}
    return Batch(session_id=session.pk, call_id=session.call_id, first=first, frames=[FRAME], turns=turns, events=facts)


def numbers(call_id: str) -> list[int]:
    return list(Event.objects.filter(call=call_id).order_by("seq").values_list("seq", flat=True))


def save(*wanted: Batch) -> set[int]:
    return batches.save(wanted, owner=OWNER, now=at(9))


def test_the_batches_of_many_calls_are_all_kept() -> None:
    sessions = [session_of() for _ in range(3)]

    lost = save(*(batch_of(session, text=f"I am {session.pk}") for session in sessions))

    assert lost == set()
    for session in sessions:
        session.refresh_from_db()
        assert session.frames == 1
        assert list(journal.replay(session.pk)) == [FRAME]
        assert Turn.objects.get(call=session.call_id).text == f"I am {session.pk}"


def test_a_lost_lease_drops_that_batch_and_no_other() -> None:
    ours, theirs = session_of(), session_of("engine-2")

    lost = save(batch_of(theirs), batch_of(ours))

    assert lost == {theirs.pk}
    assert FrameBatch.objects.get().session_id == ours.pk
    assert numbers(theirs.call_id) == []
    assert not Turn.objects.filter(call=theirs.call_id).exists()


def test_each_timeline_goes_on_counting_where_it_was() -> None:
    first, second = session_of(), session_of()
    call = Call.objects.get(pk=second.call_id)
    timeline.append(call, at=at(0), kind=Kind.US_FAULT, lane=Lane.US)

    save(batch_of(first, events=2), batch_of(second, events=2))
    timeline.append(call, at=at(9), kind=Kind.US_FAULT, lane=Lane.US)

    assert numbers(first.call_id) == [1, 2]
    assert numbers(second.call_id) == [1, 2, 3, 4]


def test_two_sessions_of_one_call_both_bring_their_events() -> None:
    call = make_call()
    first, second = session_of(call=call), session_of(call=call, ai_call_id="rtc_again")

    save(batch_of(first, events=1), batch_of(second, events=2))

    assert numbers(call.pk) == [1, 2, 3]


def test_a_turn_that_changed_has_the_calls_next_revision() -> None:
    session = session_of()
    save(batch_of(session))

    save(batch_of(session, first=1, text="Hello there"))

    call = Call.objects.get(pk=session.call_id)
    assert Turn.objects.values_list("text", "rev").get() == ("Hello there", call.turn_rev)


def test_the_same_frames_are_never_kept_twice() -> None:
    session = session_of()
    save(batch_of(session))

    longer = batch_of(session)
    longer.frames.append(FRAME)

    with pytest.raises(DatabaseError):
        save(longer)


def test_more_calls_cost_no_more_statements() -> None:
    def statements(sessions: Sequence[AiSession]) -> int:
        with CaptureQueriesContext(connection) as asked:
            save(*(batch_of(session) for session in sessions))
        return len(asked)

    assert statements([session_of()]) == statements([session_of() for _ in range(20)])


def test_a_batch_whose_commit_was_not_answered_is_kept_once_when_it_is_tried_again() -> None:
    session = session_of()
    batch = batch_of(session, events=2)

    assert [save(batch), save(batch)] == [set(), set()]

    session.refresh_from_db()
    assert session.frames == 1
    assert list(journal.replay(session.pk)) == [FRAME]
    assert numbers(session.call_id) == [1, 2]
