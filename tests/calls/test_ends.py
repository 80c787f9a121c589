"""Who ended a call, why we think so, and who was cut off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.ends import EndFacts, LegEnd, Talk, judge, who
from callops.calls.words import EndedBy, LegStatus, Role
from tests.rows import NOON, at


def leg(role: Role, seconds: float | None = 60, status: LegStatus = LegStatus.COMPLETED, **more: Any) -> LegEnd:
    return LegEnd(role=role, status=status, ended_at=None if seconds is None else at(seconds), **more)


def caller(seconds: float | None = 60, status: LegStatus = LegStatus.COMPLETED, **more: Any) -> LegEnd:
    return leg(Role.CALLER, seconds, status, **more)


def ai(seconds: float | None = 60, status: LegStatus = LegStatus.COMPLETED, **more: Any) -> LegEnd:
    return leg(Role.AI, seconds, status, **more)


def human(seconds: float | None = 60, status: LegStatus = LegStatus.COMPLETED, **more: Any) -> LegEnd:
    return leg(Role.HUMAN, seconds, status, **more)


@pytest.mark.parametrize(
    ("legs", "known", "expected"),
    [
        ((caller(), ai()), {"wish": "operator", "caller_left_at": at(60)}, EndedBy.OPERATOR),
        ((caller(), ai()), {"wish": "assistant"}, EndedBy.ASSISTANT),
        ((caller(), human()), {"wish": "human"}, EndedBy.HUMAN),
        ((caller(), ai()), {"caller_left_at": at(60)}, EndedBy.CALLER),
        ((caller(), human()), {"caller_left_at": at(60)}, EndedBy.CALLER),
        ((caller(60), ai(20)), {"caller_left_at": at(60), "ai_left_at": at(20)}, EndedBy.CALLER),
        ((caller(status=LegStatus.FAILED), ai()), {}, EndedBy.CARRIER),
        ((caller(24), ai(20)), {"ai_left_at": at(20)}, EndedBy.ASSISTANT),
        ((caller(90), ai(20), human(80)), {"ai_left_at": at(20)}, EndedBy.HUMAN),
        ((caller(80.4), ai(20), human(80)), {"ai_left_at": at(20)}, EndedBy.UNKNOWN),
        ((caller(24), ai(20), human(23, LegStatus.NO_ANSWER)), {"ai_left_at": at(20)}, EndedBy.ASSISTANT),
        ((caller(60), ai(60.6)), {}, EndedBy.UNKNOWN),
        ((caller(60), ai(63)), {}, EndedBy.CALLER),
        ((caller(60, found_over=True), ai(63)), {}, EndedBy.CALLER),
        ((caller(60), ai(20)), {}, EndedBy.UNKNOWN),
        ((caller(60), human(50)), {}, EndedBy.HUMAN),
        ((caller(60, found_over=True), human(50)), {}, EndedBy.UNKNOWN),
        ((caller(60), human(50, LegStatus.NO_ANSWER)), {}, EndedBy.UNKNOWN),
        ((caller(60), ai(None, LegStatus.IN_PROGRESS)), {}, EndedBy.UNKNOWN),
        ((caller(60),), {}, EndedBy.UNKNOWN),
        ((), {"close_reason": "The session is gone."}, EndedBy.UNKNOWN),
        ((), {}, EndedBy.UNKNOWN),
    ],
)
def test_who_ended_a_call_is_told_by_the_evidence(
    legs: tuple[LegEnd, ...], known: dict[str, Any], expected: EndedBy
) -> None:
    assert who(EndFacts(legs=legs, **known)) == expected


@pytest.mark.parametrize(
    ("legs", "known", "why"),
    [
        (
            (caller(61.2), ai(61.2)),
            {"caller_left_at": at(61.2), "talk": Talk(at(61.9), False, True)},
            "The caller's leg ended first, at 12:01:01.2; the assistant was speaking.",
        ),
        (
            (caller(61.2), ai(61.2)),
            {"caller_left_at": at(61.2), "talk": Talk(at(61), True, False)},
            "The caller's leg ended first, at 12:01:01.2; the caller was in mid-sentence.",
        ),
        (
            (caller(61.2), ai(20)),
            {"caller_left_at": at(61.2), "ai_left_at": at(20), "talk": Talk(at(19.5), True, True)},
            (
                "The caller's leg ended first, at 12:01:01.2. Before that, at 12:00:20.0, the assistant's leg had "
                "ended by itself; the caller was in mid-sentence, and the assistant was speaking."
            ),
        ),
        (
            (caller(24), ai(20)),
            {"ai_left_at": at(20), "talk": Talk(at(20), False, True)},
            (
                "The assistant's leg ended first and by itself, at 12:00:20.0, with the caller still on the line; "
                "the assistant was speaking."
            ),
        ),
        ((caller(60), ai(60)), {"wish": "operator"}, "An operator asked to hang up."),
        ((caller(60), ai(60)), {"wish": "assistant"}, "The assistant asked to end the call."),
        ((caller(60.3), human(60)), {"wish": "human"}, "The human hung up first, at 12:01:00.0."),
        (
            (caller(60, LegStatus.FAILED, sip_code=503), ai(60)),
            {},
            "Twilio reported the caller's leg as failed with SIP 503, and nothing else explains the end.",
        ),
        (
            (caller(60, found_over=True), ai(60)),
            {},
            "Twilio said when asked at 12:01:00.0 that the caller's leg is over; nothing tells who ended it.",
        ),
        (
            (),
            {"close_reason": "The session is gone."},
            "The assistant's session is over (The session is gone); no leg of the carrier tells who ended the call.",
        ),
    ],
)
def test_the_reason_is_a_sentence_with_times(legs: tuple[LegEnd, ...], known: dict[str, Any], why: str) -> None:
    assert judge(EndFacts(legs=legs, **known)).why == why


@pytest.mark.parametrize(
    ("legs", "known", "cut"),
    [
        ((caller(60), ai(60)), {"caller_left_at": at(60), "talk": Talk(at(61), True, False)}, (True, False)),
        ((caller(60), ai(60)), {"wish": "operator", "talk": Talk(at(60.5), False, True)}, (False, True)),
        ((caller(60), ai(60)), {"talk": Talk(at(40), True, True)}, (False, False)),
        (
            (caller(60, found_over=True), ai(None, LegStatus.IN_PROGRESS)),
            {"talk": Talk(at(58), True, False)},
            (True, False),
        ),
        ((caller(300, found_over=True), human(299)), {"talk": Talk(at(40), True, True)}, (False, False)),
        ((), {"talk": Talk(at(58), True, False)}, (True, False)),
        ((caller(60), ai(60)), {"caller_left_at": at(60)}, (False, False)),
    ],
)
def test_who_was_cut_off_counts_only_when_the_talk_broke_off_with_the_call(
    legs: tuple[LegEnd, ...], known: dict[str, Any], cut: tuple[bool, bool]
) -> None:
    end = judge(EndFacts(legs=legs, **known))

    assert (end.caller_mid_sentence, end.assistant_mid_sentence) == cut


moments = st.none() | st.integers(0, 100).map(at)
ends = st.lists(
    st.builds(
        LegEnd,
        role=st.sampled_from(Role),
        status=st.sampled_from(LegStatus),
        ended_at=moments,
        sip_code=st.sampled_from([None, 200, 480, 503]),
        found_over=st.booleans(),
    ),
    max_size=5,
)
talks = st.none() | st.builds(Talk, st.integers(0, 100).map(at), st.booleans(), st.booleans())


@given(
    legs=ends, wish=st.sampled_from(["", "operator", "assistant", "human"]), left=moments, gone=moments, talk=talks,
    data=st.data(),
)  # fmt: skip
def test_the_judgement_is_total_and_the_same_for_every_order_of_the_legs(
    legs: list[LegEnd], wish: str, left: datetime | None, gone: datetime | None, talk: Talk | None, data: st.DataObject
) -> None:
    known: dict[str, Any] = {"wish": wish, "caller_left_at": left, "ai_left_at": gone, "talk": talk}
    shuffled = data.draw(st.permutations(legs))

    end = judge(EndFacts(legs=tuple(legs), **known))

    assert end == judge(EndFacts(legs=tuple(shuffled), **known))
    assert end.by == who(EndFacts(legs=tuple(legs), **known))
    assert end.why.endswith(".")


@given(legs=ends, left=st.integers(0, 100).map(at))
def test_a_decision_or_the_carriers_word_is_never_overruled_by_the_order_of_legs(
    legs: list[LegEnd], left: datetime
) -> None:
    assert who(EndFacts(legs=tuple(legs), wish="operator", caller_left_at=left)) == EndedBy.OPERATOR
    assert who(EndFacts(legs=tuple(legs), caller_left_at=left)) == EndedBy.CALLER


def test_times_are_told_in_utc_with_tenths() -> None:
    end = judge(EndFacts(legs=(caller(0),), caller_left_at=NOON))

    assert "12:00:00.0" in end.why
