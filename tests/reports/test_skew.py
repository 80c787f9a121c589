"""A provider's clock is known as far as its messages prove, and no further."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callops.calls.kinds import Kind
from callops.reports.record import CallRecord
from callops.reports.skew import Skew, skew_of, skews
from tests.reports.cases import record, row
from tests.rows import at


def exchange(asked_s: float, answered_s: float, date_s: float) -> CallRecord:
    """A REFER asked and answered at these times of our clock; the answer dated by a clock of whole seconds."""
    headers = {"date": f"{at(date_s):%a, %d %b %Y %H:%M:%S} GMT"}
    answer = row(2, Kind.OPENAI_REFER_ANSWERED, answered_s, status=200, duration_ms=1, headers=headers)
    return record(happened=[row(1, Kind.US_REFER_ASKED, asked_s), answer])


def test_an_answer_bounds_the_clock_from_both_sides() -> None:
    openai, twilio = skews(exchange(1.0, 1.4, 3.0))

    assert (openai.low, openai.high) == (1.6, 3.0)
    assert openai.sentence == "OpenAI's clock is between 1.6 s ahead of and 3.0 s ahead of ours."
    assert (twilio.low, twilio.high, twilio.messages) == (None, None, 0)
    assert "nothing is known of its clock" in twilio.sentence


def test_a_delivery_that_answers_nothing_bounds_one_side() -> None:
    told = row(1, Kind.OPENAI_WEBHOOK, 2.0, created_at=at(1).isoformat())

    openai = skew_of(record(happened=[told]), "openai")

    assert (openai.low, openai.high) == (-1.0, None)
    assert "only one side is bounded" in openai.sentence


def test_messages_that_contradict_each_other_are_said_to() -> None:
    assert "contradict" in Skew("carrier", 2.0, 1.0, 2).sentence


@given(
    ahead=st.floats(-100, 100),
    asked_s=st.floats(0, 50),
    out_s=st.floats(0, 5),
    back_s=st.floats(0, 5),
)
def test_the_true_distance_always_lies_within_the_bound(
    ahead: float, asked_s: float, out_s: float, back_s: float
) -> None:
    written_s = int(200 + asked_s + out_s + ahead) - 200

    skew = skew_of(exchange(asked_s, asked_s + out_s + back_s, written_s), "openai")

    assert skew.low is not None and skew.high is not None
    assert skew.low - 0.001 <= ahead <= skew.high + 0.001
