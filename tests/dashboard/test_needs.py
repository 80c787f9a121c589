"""Why a call needs somebody, how badly, and the one best act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.models import Call
from callops.calls.words import FailureStage, Session, State
from callops.dashboard.board import Place
from callops.dashboard.needs import Need, Rank, need
from callops.sideband.glance import WELL, Standing
from callops.sideband.quiet import Silence
from callops.transfers.models import Approval, Mechanism, Outcome, TransferAttempt
from callops.transfers.models import State as Step
from tests.rows import at

NOW = at(100)


def call(**fields: Any) -> Call:
    return Call(**{"id": "01", "state": State.LIVE, "ai_session": Session.OPEN, "ai_call_id": "rtc_1", **fields})


def attempt(**fields: Any) -> TransferAttempt:
    return TransferAttempt(**{"target_label": "Front desk", "requested_at": at(90), "state": Step.SETTLED, **fields})


DEAD = Standing(silence=Silence.DEAD_AIR, silent_since=at(80))
WISH = Approval(asked_by="ann", uri="tel:+15550177", asked_at=at(95))


@pytest.mark.parametrize(
    ("fields", "last", "standing", "wish", "rank", "act", "words"),
    [
        ({}, None, DEAD, None, Rank.ALONE, "Transfer", "Dead air"),
        ({}, None, Standing(minutes_left=2), None, Rank.WAITING, "Transfer", "2 minutes left"),
        ({}, None, Standing(promised_from=at(50)), None, Rank.ALONE, "Transfer", "nothing was started"),
        ({"ai_session": Session.RECONNECTING}, None, WELL, None, Rank.AT_RISK, "Watch", "reconnecting"),
        ({"failure_stage": FailureStage.OUR_FAULT}, None, WELL, None, Rank.ALONE, "Watch", ""),
        ({"webhook_due_at": at(99), "ai_call_id": None}, None, WELL, None, Rank.ALONE, "Watch", "not announced"),
        ({"ai_left_at": at(99)}, None, WELL, None, Rank.AT_RISK, "Watch", "led on"),
        ({}, {"outcome": Outcome.NO_ANSWER}, WELL, None, Rank.ALONE, "Try again", "Front desk did not answer"),
        ({}, {"outcome": Outcome.UNKNOWN}, WELL, None, Rank.ALONE, "Try again", "Nobody knows"),
        ({}, None, WELL, WISH, Rank.WAITING, "Decide", "ann wants"),
        (
            {"state": State.TRANSFERRING},
            {"state": Step.RUNNING, "refer_asked_at": at(91), "mechanism": Mechanism.UNKNOWN},
            WELL,
            None,
            Rank.AT_RISK,
            "Watch",
            "has not carried it out",
        ),
    ],
)
def test_each_reason_has_its_rank_and_its_best_act(
    fields: dict[str, Any],
    last: dict[str, Any] | None,
    standing: Standing,
    wish: Approval | None,
    rank: Rank,
    act: str,
    words: str,
) -> None:
    found = need(call(**fields), attempt(**last) if last else None, NOW, standing, wish)

    assert found is not None
    assert (found.rank, found.act) == (rank, act)
    assert words in found.why


@pytest.mark.parametrize(
    ("fields", "last", "standing", "wish"),
    [
        ({}, None, WELL, None),
        ({"state": State.ENDED}, {"outcome": Outcome.NO_ANSWER}, DEAD, WISH),
        ({"state": State.WITH_HUMAN}, {"outcome": Outcome.CONNECTED}, DEAD, None),
        ({}, None, WELL, Approval(asked_by="ann", asked_at=at(100) - timedelta(hours=1))),
        ({"webhook_due_at": at(101), "ai_call_id": None}, None, WELL, None),
    ],
)
def test_nobody_is_needed_where_all_is_well_or_over(
    fields: dict[str, Any], last: dict[str, Any] | None, standing: Standing, wish: Approval | None
) -> None:
    assert need(call(**fields), attempt(**last) if last else None, NOW, standing, wish) is None


@given(
    st.sampled_from(State),
    st.sampled_from(Session),
    st.sampled_from(["", *FailureStage]),
    st.sampled_from(Outcome),
    st.sampled_from(Mechanism),
    st.booleans(),
    st.sampled_from([WELL, DEAD, Standing(minutes_left=0), Standing(promised_from=at(50))]),
    st.sampled_from([None, WISH]),
)
def test_every_call_has_one_reason_in_words_with_an_act_or_none(
    state: State,
    session: Session,
    stage: str,
    outcome: Outcome,
    mechanism: Mechanism,
    is_open: bool,
    standing: Standing,
    wish: Approval | None,
) -> None:
    last = attempt(
        outcome=outcome, mechanism=mechanism, state=Step.RUNNING if is_open else Step.SETTLED, refer_asked_at=at(91)
    )
    found = need(call(state=state, ai_session=session, failure_stage=stage), last, NOW, standing, wish)

    assert found is None or (isinstance(found, Need) and found.why.endswith(".") and found.act and found.place)
    assert state != State.ENDED or found is None


@given(st.lists(st.builds(Place, st.integers(0, 2), st.text("AB", min_size=1, max_size=3)), unique=True))
def test_the_most_urgent_stands_first_and_then_the_newest(places: list[Place]) -> None:
    for one in places:
        for other in places:
            if one != other:
                assert one.comes_before(other) != other.comes_before(one)
            if one.rank < other.rank:
                assert one.comes_before(other)
