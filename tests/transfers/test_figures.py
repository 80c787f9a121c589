from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.figures import FATES, Moved, Way, grouped, over_time, redirect_fate, refer_fate, spread, tally

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def moved(**fields: Any) -> Moved:
    known = {"id": "1", "asked_at": NOON, "line": "Support", "scheme": "tel", "model": "m", "mechanism": "refer"}
    return Moved(**{**known, **fields})


def seconds(many: float) -> datetime:
    return NOON + timedelta(seconds=many)


@pytest.mark.parametrize(
    ("fields", "fate"),
    [
        ({"asked_at": None}, None),
        ({"fetched_at": seconds(1)}, "proven"),
        ({"fetched_at": seconds(2)}, "proven"),
        ({"fetched_at": seconds(2.1)}, "late"),
        ({"answer": "refused", "settled_at": seconds(9)}, "refused"),
        ({"answer": "refused", "fetched_at": seconds(1)}, "proven"),
        ({"settled_at": seconds(9)}, "unproven"),
        ({"fetched_at": seconds(-1), "settled_at": seconds(9)}, "proven"),
        ({}, "waiting"),
    ],
)
def test_what_became_of_a_redirect(fields: dict[str, Any], fate: str | None) -> None:
    known = {"asked_at": NOON, "answer": "", "fetched_at": None, "settled_at": None}

    assert redirect_fate(**{**known, **fields}) == fate


def test_a_refer_of_which_nothing_is_known_yet_waits() -> None:
    assert refer_fate(asked_at=None, fate=None) is None
    assert refer_fate(asked_at=NOON, fate=None) == "waiting"
    assert refer_fate(asked_at=NOON, fate="late") == "late"


def test_a_tally_has_its_share_of_what_is_known_with_an_interval() -> None:
    rows = [moved(refer=fate) for fate in ("proven", "proven", "late", "unproven", "refused", "waiting", None)]

    found = tally(rows, Way.REFER)

    assert (found.asked, found.known, found.proven, found.share) == (6, 5, 2, 0.4)
    assert (round(found.interval.low, 3), round(found.interval.high, 3)) == (0.118, 0.769)
    assert tally(rows, Way.REDIRECT).share is None


def test_percentiles_are_nearest_rank_of_what_is_known() -> None:
    found = spread([*range(1, 101), None])

    assert found is not None
    assert (found.n, found.p50, found.p95) == (100, 50, 95)
    assert spread([None]) is None
    one = spread([7])
    assert one is not None
    assert (one.p50, one.p95) == (7, 7)


MOVES = st.builds(
    moved,
    line=st.sampled_from(["", "a", "b"]),
    scheme=st.sampled_from(["tel", "sip", ""]),
    model=st.sampled_from(["", "x"]),
    mechanism=st.sampled_from(["refer", "redirect", "none"]),
    asked_at=st.integers(0, 48 * 3600 - 1).map(lambda s: NOON + timedelta(seconds=s)),
    refer=st.sampled_from([None, *FATES]),
)


@given(st.lists(MOVES), st.sampled_from(["line", "scheme", "model", "hour", "mechanism"]))
def test_every_transfer_is_in_just_one_group_and_counted_once(rows: list[Moved], by: str) -> None:
    groups = grouped(rows, by)

    assert sum(len(group.members) for group in groups) == len(rows)
    assert sum(group.tally(Way.REFER).asked for group in groups) == tally(rows, Way.REFER).asked


@given(st.lists(MOVES))
def test_over_time_every_transfer_of_the_period_stands_at_its_step(rows: list[Moved]) -> None:
    steps = [NOON + timedelta(hours=number) for number in range(48)]

    groups = over_time(rows, steps, timedelta(hours=1))

    assert sum(len(group.members) for group in groups) == len(rows)
    for at, group in zip(steps, groups, strict=True):
        assert all(at <= each.asked_at < at + timedelta(hours=1) for each in group.members)
