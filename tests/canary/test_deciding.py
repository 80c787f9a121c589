from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.canary.deciding import Known, Next, decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def known(**fields: Any) -> Known:
    return Known(**{"asked_at": NOON, "longest": timedelta(seconds=90), **fields})


@pytest.mark.parametrize(
    ("fields", "seconds", "step", "result"),
    [
        ({}, 29, "wait", None),
        ({}, 30, "end", "no_call"),
        ({"has_call": True}, 59, "wait", None),
        ({"has_call": True}, 60, "end", "no_ai"),
        ({"has_call": True, "is_over": True}, 5, "end", "no_ai"),
        ({"has_call": True, "may_transfer": True}, 5, "transfer", None),
        ({"has_call": True, "has_attempt": True}, 89, "wait", None),
        ({"has_call": True, "has_attempt": True}, 90, "end", "cut_off"),
        ({"has_call": True, "has_attempt": True, "is_settled": True}, 9, "end", "settled"),
        ({"has_call": True, "has_attempt": True, "is_settled": True, "is_over": True}, 95, "end", "settled"),
    ],
)
def test_each_step_of_a_round(fields: dict[str, Any], seconds: float, step: str, result: str | None) -> None:
    found, told = decide(known(**fields), NOON + timedelta(seconds=seconds))

    assert found.value == step
    assert result is None or told == result


@given(
    st.fixed_dictionaries(
        {name: st.booleans() for name in ("has_call", "is_over", "may_transfer", "has_attempt", "is_settled")}
    ),
    st.integers(30, 300),
)
def test_every_round_ends_in_bounded_time_and_none_is_transferred_twice(fields: dict[str, bool], longest: int) -> None:
    round_ = known(**fields, longest=timedelta(seconds=longest))

    late, _ = decide(round_, NOON + timedelta(seconds=max(60, longest)))
    soon, _ = decide(round_, NOON)

    assert late is Next.END or (late is Next.TRANSFER and not fields["has_attempt"])
    assert not (fields["has_attempt"] and Next.TRANSFER in (soon, late))
