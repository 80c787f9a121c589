"""The state of a call, judged from its legs, its session and its transfer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.lifecycle import OVER, LegFact, Picture, forward, state_of
from callops.calls.words import LegStatus, Role, Session, State

CALLER_UP = LegFact(Role.CALLER, LegStatus.IN_PROGRESS)
CALLER_RINGS = LegFact(Role.CALLER, LegStatus.RINGING)
CALLER_OVER = LegFact(Role.CALLER, LegStatus.COMPLETED)
HUMAN_UP = LegFact(Role.HUMAN, LegStatus.IN_PROGRESS)
HUMAN_ASKED = LegFact(Role.HUMAN, LegStatus.IN_PROGRESS, awaits_key=True)
HUMAN_RINGS = LegFact(Role.HUMAN, LegStatus.RINGING)
HUMAN_OVER = LegFact(Role.HUMAN, LegStatus.COMPLETED)
AI_UP = LegFact(Role.AI, LegStatus.IN_PROGRESS)
AI_OVER = LegFact(Role.AI, LegStatus.COMPLETED)

legs = st.lists(st.builds(LegFact, st.sampled_from(Role), st.sampled_from(LegStatus)), max_size=5)


def state(*seen: LegFact, session: Session = Session.NONE, moving: bool = False, wanted: bool = True) -> State:
    return state_of(Picture(legs=seen, session=session, transfer_open=moving, ai_wanted=wanted))


@pytest.mark.parametrize(
    ("seen", "session", "moving", "wanted", "expected"),
    [
        ((CALLER_RINGS,), Session.NONE, False, False, State.RINGING),
        ((), Session.NONE, False, False, State.RINGING),
        ((CALLER_RINGS,), Session.NONE, False, True, State.CONNECTING),
        ((CALLER_UP, AI_UP), Session.ACCEPTING, False, True, State.CONNECTING),
        ((CALLER_UP, AI_UP), Session.OPEN, False, True, State.LIVE),
        ((CALLER_UP, AI_UP), Session.RECONNECTING, False, True, State.LIVE),
        ((CALLER_UP, AI_UP), Session.OPEN, True, True, State.TRANSFERRING),
        ((CALLER_UP, AI_OVER), Session.CLOSED, True, True, State.TRANSFERRING),
        ((CALLER_UP, HUMAN_RINGS), Session.CLOSED, True, True, State.TRANSFERRING),
        ((CALLER_UP, HUMAN_UP), Session.CLOSED, False, True, State.WITH_HUMAN),
        ((CALLER_UP, HUMAN_UP), Session.OPEN, True, True, State.WITH_HUMAN),
        ((CALLER_UP, HUMAN_ASKED), Session.CLOSED, True, True, State.TRANSFERRING),
        ((CALLER_UP, HUMAN_ASKED, HUMAN_UP), Session.CLOSED, True, True, State.WITH_HUMAN),
        ((CALLER_UP, HUMAN_OVER), Session.CLOSED, False, True, State.CONNECTING),
        ((CALLER_OVER, HUMAN_UP), Session.OPEN, True, True, State.ENDED),
        ((CALLER_OVER,), Session.NONE, False, False, State.ENDED),
    ],
)
def test_the_strongest_fact_gives_the_state(
    seen: tuple[LegFact, ...], session: Session, moving: bool, wanted: bool, expected: State
) -> None:
    assert state(*seen, session=session, moving=moving, wanted=wanted) == expected


def test_a_closed_session_does_not_end_a_call_whose_caller_is_on_the_line() -> None:
    assert state(CALLER_UP, AI_OVER, session=Session.CLOSED) != State.ENDED


@pytest.mark.parametrize(
    ("seen", "session", "moving", "expected"),
    [
        ((), Session.OPEN, False, State.LIVE),
        ((), Session.CLOSED, False, State.ENDED),
        ((), Session.CLOSED, True, State.TRANSFERRING),
        ((HUMAN_UP,), Session.CLOSED, False, State.WITH_HUMAN),
        ((HUMAN_OVER,), Session.CLOSED, False, State.ENDED),
    ],
)
def test_without_a_callers_leg_the_session_and_the_human_tell(
    seen: tuple[LegFact, ...], session: Session, moving: bool, expected: State
) -> None:
    assert state(*seen, session=session, moving=moving) == expected


@given(seen=legs, session=st.sampled_from(Session), moving=st.booleans(), wanted=st.booleans(), data=st.data())
def test_the_order_in_which_legs_are_known_does_not_matter(
    seen: list[LegFact], session: Session, moving: bool, wanted: bool, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(seen))

    first = state(*seen, session=session, moving=moving, wanted=wanted)

    assert first == state(*shuffled, session=session, moving=moving, wanted=wanted)


@given(seen=legs, session=st.sampled_from(Session), moving=st.booleans())
def test_a_call_with_a_caller_ends_exactly_when_the_callers_leg_is_over(
    seen: list[LegFact], session: Session, moving: bool
) -> None:
    callers = [leg for leg in seen if leg.role == Role.CALLER]

    if callers:
        over = all(leg.status in OVER for leg in callers)
        assert (state(*seen, session=session, moving=moving) == State.ENDED) == over


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        (LegStatus.INITIATED, LegStatus.RINGING, True),
        (LegStatus.INITIATED, LegStatus.IN_PROGRESS, True),
        (LegStatus.RINGING, LegStatus.BUSY, True),
        (LegStatus.IN_PROGRESS, LegStatus.COMPLETED, True),
        (LegStatus.RINGING, LegStatus.INITIATED, False),
        (LegStatus.IN_PROGRESS, LegStatus.RINGING, False),
        (LegStatus.COMPLETED, LegStatus.IN_PROGRESS, False),
        (LegStatus.COMPLETED, LegStatus.NO_ANSWER, False),
        (LegStatus.IN_PROGRESS, LegStatus.IN_PROGRESS, False),
    ],
)
def test_a_leg_only_moves_forward(old: LegStatus, new: LegStatus, moves: bool) -> None:
    assert forward(old, new) is moves


@given(st.sampled_from(LegStatus), st.sampled_from(LegStatus))
def test_no_two_statuses_lead_to_each_other(one: LegStatus, other: LegStatus) -> None:
    assert not (forward(one, other) and forward(other, one))
