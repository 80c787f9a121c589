"""Halves joined by hand: nothing is lost, who decided it is written, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation, Event, MergedCall
from callops.calls.words import Confidence, Lane, Method, Session, State
from callops.sideband.linking import LinkRefused, candidates, is_revisable, link_by_hand, missing_half
from callops.sideband.models import AiSession, Turn
from tests.rows import CALLER, at, body_of, kinds, make_attempt, make_call, make_line, make_ringing_call, make_session

pytestmark = pytest.mark.django_db


def waiting(**fields: Any) -> Call:
    """A caller whose AI never announced itself."""
    return make_ringing_call(**{"webhook_due_at": None, "correlation_method": Method.NONE, **fields})


def talking(**fields: Any) -> Call:
    """An AI call whose carrier leg nobody knows, with a session, a turn and two events."""
    plain = {"carrier_sid": None, "ai_leg_sid": "", "ai_dialled_at": None, "correlation_method": Method.NONE}
    call = make_call(**{**plain, **fields})
    make_session(call, opened_at=at(2))
    Turn.objects.create(call=call, item_id="item_1", position=1, speaker="caller", text="Hello?", started_at=at(3))
    for seconds in (1, 2):
        timeline.append(call, at=at(seconds), kind=Kind.OPENAI_DTMF, lane=Lane.CALLER, body={"key": str(seconds)})
    return call


def link(one: Call, other: Call, **wish: Any) -> Call:
    joined = link_by_hand(call_id=one.pk, other_id=other.pk, **{"by": "supervisor1", "now": at(60), **wish})
    return Call.objects.get(pk=joined)


@pytest.mark.parametrize("from_the_ais_page", [True, False])
def test_two_halves_become_one_call_with_everything_both_knew(from_the_ais_page: bool) -> None:
    carrier, ai = waiting(), talking()
    timeline.append(carrier, at=at(1), kind=Kind.CARRIER_LEG, lane=Lane.CARRIER)

    joined = link(*((ai, carrier) if from_the_ais_page else (carrier, ai)), why="Same voice on the recording")

    assert joined.pk == carrier.pk
    assert (joined.carrier_sid, joined.ai_call_id) == (carrier.carrier_sid, ai.ai_call_id)
    assert joined.state == State.LIVE
    assert kinds(joined) == ["carrier.leg", "openai.dtmf", "openai.dtmf", "us.correlated"]
    assert [event.seq for event in Event.objects.filter(call=joined).order_by("seq")] == [1, 2, 3, 4]
    assert Turn.objects.get().call == joined
    assert AiSession.objects.get().call == joined


def test_who_decided_it_and_why_is_on_the_timeline_and_kept() -> None:
    joined = link(waiting(), talking(), why="Same voice on the recording")

    assert (joined.correlation_method, joined.correlation_confidence) == (Method.MANUAL, Confidence.EXACT)
    body = body_of(joined, "us.correlated")
    assert (body["by"], body["why"]) == ("supervisor1", "Same voice on the recording")
    assert Event.objects.get(kind="us.correlated").lane == Lane.OPERATOR
    assert Correlation.objects.get().decided_by == "supervisor1"


def test_the_lost_id_leads_to_the_whole_call_however_often_it_moved() -> None:
    carrier, ai = waiting(), talking()
    MergedCall.objects.create(former_id="older", call=ai)

    joined = link(carrier, ai)

    for former in (ai.pk, "older", carrier.pk):
        assert Call.objects.known_as(former).get() == joined


def test_linking_twice_is_linking_once() -> None:
    carrier, ai = waiting(), talking()

    first, second = link(carrier, ai), link(ai, carrier)

    assert first.pk == second.pk
    assert kinds(first).count("us.correlated") == 1


def test_halves_are_joined_late_when_both_are_over() -> None:
    carrier = waiting(state=State.ENDED, ended_at=at(50))
    ai = talking(state=State.ENDED, ended_at=at(49), ai_session=Session.CLOSED)

    joined = link(carrier, ai)

    assert joined.ended_at == at(50)
    assert "openai.dtmf" in kinds(joined)


def test_a_wrong_link_is_corrected_by_linking_to_the_right_caller() -> None:
    wrong, right, ai = waiting(), waiting(), talking()
    wrong = link(wrong, ai)

    joined = link(wrong, right, why="Another name was said")

    wrong.refresh_from_db()
    assert joined.pk == right.pk
    assert (joined.ai_call_id, wrong.ai_call_id) == (ai.ai_call_id, None)
    assert (joined.correlation_method, wrong.correlation_method) == (Method.MANUAL, Method.NONE)
    assert Turn.objects.get().call == joined
    assert body_of(wrong, "us.correlated")["by"] == "supervisor1"


def test_a_guess_may_be_corrected_and_a_signed_header_not() -> None:
    guess = make_call(None, correlation_method=Method.NUMBERS_AND_TIME, correlation_confidence=Confidence.PROBABLE)
    signed = make_call(None, correlation_method=Method.SIGNED_HEADER, correlation_confidence=Confidence.EXACT)
    for call in (guess, signed):
        make_session(call)

    assert link(guess, waiting()).ai_call_id == guess.ai_call_id
    with pytest.raises(LinkRefused, match="better evidence"):
        link(signed, waiting())
    assert (is_revisable(guess), is_revisable(signed)) == (True, False)


def test_what_cannot_be_joined_is_refused_with_a_sentence() -> None:
    carrier, ai, trunk = waiting(), talking(), waiting(topology="trunk")

    for one, other, why in (
        (carrier, carrier, "with itself"),
        (carrier, waiting(), "Neither of the two has an AI call"),
        (ai, talking(), "Both have an AI call"),
        (make_call(None), ai, "Both have an AI call"),
        (trunk, ai, "trunk line"),
        (ai, Call(pk="nothing"), "not known"),
    ):
        with pytest.raises(LinkRefused, match=why):
            link(one, other)
    assert not Correlation.objects.exists()


def test_a_call_that_is_being_moved_is_left_alone() -> None:
    line = make_line()
    carrier, ai, both = waiting(line=line), talking(line=line), make_call(line, correlation_method=Method.MANUAL)
    make_session(both)
    for call in (carrier, ai, both):
        Call.objects.filter(pk=call.pk).update(state=State.LIVE)
        make_attempt(call)

    for one, other in ((carrier, ai), (both, waiting())):
        with pytest.raises(LinkRefused, match="A transfer is open"):
            link(one, other)


def test_a_transfer_asked_on_the_ais_half_goes_on_on_the_whole_call() -> None:
    carrier, ai = waiting(), talking()
    attempt = make_attempt(ai)

    joined = link(carrier, ai)

    attempt.refresh_from_db()
    assert attempt.call == joined
    assert joined.state == State.TRANSFERRING


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, ""),
        ({"carrier_sid": None}, "carrier"),
        ({"ai_call_id": None}, "ai"),
        ({"ai_call_id": None, "webhook_due_at": at(6)}, ""),
        ({"ai_call_id": None, "ai_dialled_at": None}, ""),
        ({"carrier_sid": None, "ai_call_id": None}, ""),
        ({"carrier_sid": None, "topology": "trunk"}, ""),
    ],
)
def test_the_missing_half_is_named_once_nobody_waits_for_it(fields: dict[str, Any], missing: str) -> None:
    assert missing_half(make_call(None, **fields)) == missing


def test_candidates_are_of_the_opposite_kind_and_near_the_same_number_first() -> None:
    ai = talking(from_number=CALLER)
    near = waiting(from_number="+15550199", started_at=at(3))
    same = waiting(from_number=CALLER, started_at=at(-200))
    waiting(started_at=at(601))
    make_call(None)
    talking()

    found = candidates(ai)

    assert [(each.call.pk, each.distance_s, each.same_number) for each in found] == [
        (same.pk, -200, True),
        (near.pk, 3, False),
    ]


def test_a_caller_without_an_ai_call_is_offered_ai_calls_without_a_leg() -> None:
    carrier, ai = waiting(), talking()
    make_call(None)

    assert [each.call.pk for each in candidates(carrier)] == [ai.pk]
