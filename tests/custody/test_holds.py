"""Two halves on legal hold become one call on hold, and nobody's reason is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.audit import chain
from callops.audit.models import Entry
from callops.calls import merging
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.custody import clocks, holding
from callops.custody.models import JOINED, Hold
from callops.sideband.linking import link_by_hand
from tests.rows import at, make_call, make_line, make_session

pytestmark = pytest.mark.django_db


def halves() -> tuple[Call, Call]:
    """A caller without an AI call, and an AI call without a leg."""
    line = make_line()
    caller = make_call(line, ai_call_id=None, ai_session="none", ai_dialled_at=at(0), state="connecting")
    alone = make_call(line, carrier_sid=None)
    make_session(alone)
    return caller, alone


def test_two_halves_on_hold_can_be_joined_and_both_reasons_are_kept() -> None:
    caller, alone = halves()
    holding.place(alone, why="The court asked.", by="ada", now=at(10))
    holding.place(caller, why="A complaint.", by="bob", now=at(20))

    link_by_hand(call_id=caller.pk, other_id=alone.pk, by="supervisor", now=at(60))

    (standing,) = Hold.objects.standing()
    assert (standing.call_id, standing.why) == (caller.pk, "The court asked.; A complaint.")
    assert (standing.placed_by, standing.placed_at) == ("ada", at(10))
    gone = Hold.objects.get(lifted_at=at(60))
    assert (gone.call_id, gone.why, gone.placed_by, gone.lifted_by) == (caller.pk, "A complaint.", "bob", JOINED)


def test_the_timeline_and_the_audit_tell_both_reasons_in_full() -> None:
    caller, alone = halves()
    reasons = ["a" * 290, "b" * 290]
    holding.place(alone, why=reasons[0], by="ada", now=at(10))
    holding.place(caller, why=reasons[1], by="bob", now=at(20))

    merging.absorb(caller.pk, alone.pk, now=at(60))

    told = Event.objects.filter(call=caller, kind=Kind.OPERATOR_HELD).order_by("-at").first()
    assert told is not None
    audited = Entry.objects.filter(verb="hold data", call=caller.pk).order_by("-number").first()
    assert audited is not None
    for words in (told.body["why"], audited.detail["why"]):
        assert all(part in words for part in (*reasons, "ada", "bob"))
    assert audited.detail["joined"] == alone.pk
    assert chain.first_fault() is None
    assert len(Hold.objects.standing().get().why) == 300


def test_one_hold_goes_with_its_half_and_a_lifted_one_stays_lifted() -> None:
    caller, alone = halves()
    holding.place(caller, why="Old.", by="bob", now=at(1))
    holding.lift(caller, by="bob", now=at(2))
    holding.place(alone, why="The court asked.", by="ada", now=at(10))

    merging.absorb(caller.pk, alone.pk, now=at(60))

    assert list(Hold.objects.standing().values_list("call", "why")) == [(caller.pk, "The court asked.")]
    assert Hold.objects.count() == 2
    assert not Entry.objects.filter(detail__has_key="joined").exists()


def test_the_hold_of_a_joined_call_is_lifted_once() -> None:
    caller, alone = halves()
    for call in (caller, alone):
        holding.place(call, why="Why.", by="ada", now=at(10))
    merging.absorb(caller.pk, alone.pk, now=at(60))

    assert holding.lift(caller, by="ada", now=at(70))
    assert not Hold.objects.standing().exists()


def test_what_the_audit_says_of_a_half_of_a_call_on_hold_is_not_forgotten(configure: Any) -> None:
    configure(keep_audit_days=30)
    caller, alone = halves()
    chain.record("ada", "open call", now=at(0), call=alone.pk)
    holding.place(caller, why="A complaint.", by="bob", now=at(20))
    merging.absorb(caller.pk, alone.pk, now=at(60))

    clocks.run(at(0) + timedelta(days=400))

    assert Entry.objects.filter(call=alone.pk, verb="open call").exists()
