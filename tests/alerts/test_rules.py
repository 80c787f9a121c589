"""When failing calls are an incident, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.alerts.rules import QUIET, Stretch, closes, opens
from tests.rows import NOON


def stretch(failed: int, calls: int, *, through: bool = False, last: datetime | None = NOON) -> Stretch:
    return Stretch(failed=failed, calls=calls, went_through=through, last_call_at=last)


@pytest.mark.parametrize(
    ("failed", "calls", "opened"),
    [(0, 0, False), (2, 2, False), (3, 3, True), (3, 15, True), (3, 16, False), (20, 100, True), (19, 100, False)],
)
def test_three_failures_that_are_a_fifth_of_the_calls_are_an_incident(failed: int, calls: int, opened: bool) -> None:
    assert bool(opens(stretch(failed, calls))) is opened


def test_the_reason_names_both_numbers() -> None:
    assert opens(stretch(7, 9)) == "7 of the 9 calls that began within 10 minutes failed at this stage."


@pytest.mark.parametrize(
    ("seen", "over"),
    [
        (stretch(1, 5, through=True), False),
        (stretch(0, 5, through=True), True),
        (stretch(0, 5, through=False), False),
        (stretch(0, 0, last=NOON - QUIET), True),
        (stretch(0, 0, last=NOON - QUIET + timedelta(seconds=1)), False),
        (stretch(0, 0, last=None), True),
    ],
)
def test_an_incident_ends_when_calls_go_through_again_or_nobody_calls(seen: Stretch, over: bool) -> None:
    assert bool(closes(seen, NOON)) is over


@given(
    failed=st.integers(0, 50),
    others=st.integers(0, 50),
    through=st.booleans(),
    silent_s=st.none() | st.integers(0, 7200),
)
def test_nothing_opens_an_incident_that_would_be_closed_at_once(
    failed: int, others: int, through: bool, silent_s: int | None
) -> None:
    last = None if silent_s is None else NOON - timedelta(seconds=silent_s)
    seen = stretch(failed, failed + others, through=through, last=last)

    assert not (opens(seen) and closes(seen, NOON))


@given(failed=st.integers(0, 50), others=st.integers(0, 50))
def test_one_more_failure_never_makes_an_incident_less_likely(failed: int, others: int) -> None:
    fewer, more = stretch(failed, failed + others), stretch(failed + 1, failed + 1 + others)

    assert not opens(fewer) or opens(more)
