"""What became of a line's REFERs, counted, and how sure the share is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.health import WINDOW, WINDOW_S, Fate, Health, Refer, health_of, wilson
from callops.transfers.models import TransferAttempt
from tests.rows import NOON, at, make_attempt, make_call, make_line, make_refer


def refers(fates: str, *, start: float = -3600) -> list[Refer]:
    """One letter a REFER, oldest first, ten seconds apart: proven, late, unproven, refused, or `?` not known."""
    words = {"p": Fate.PROVEN, "l": Fate.LATE, "u": Fate.UNPROVEN, "r": Fate.REFUSED, "?": None}
    return [Refer(at(start + 10 * index), f"{index:03}", words[letter]) for index, letter in enumerate(fates)]


TABLE = [
    ("nothing was asked", [], Health()),
    ("what is waited for counts as nothing", refers("???"), Health()),
    ("each fate is counted", refers("plur"), Health(proven=1, late=1, unproven=1, refused=1, last_asked_at=at(-3570))),
    ("the newest proven ones are a row", refers("uppp"), Health(unproven=1, proven=3, proven_in_a_row=3)),
    ("a miss ends the row", refers("ppu"), Health(unproven=1, proven=2)),
    ("a waiting one does not", refers("up?p"), Health(unproven=1, proven=2, proven_in_a_row=2)),
    ("only the newest twenty count", refers("u" * 5 + "p" * WINDOW), Health(proven=20, proven_in_a_row=20)),
    ("a day later nothing is known", refers("uuu", start=-WINDOW_S - 100), Health()),
    ("exactly a day is still known", refers("u", start=-WINDOW_S), Health(unproven=1)),
]


@pytest.mark.parametrize(("asked", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_health(asked: list[Refer], expected: Health) -> None:
    health = health_of(asked, now=NOON)

    counts = ("proven", "late", "unproven", "refused", "proven_in_a_row", "known")
    assert [getattr(health, name) for name in counts] == [getattr(expected, name) for name in counts]
    known = [refer.asked_at for refer in asked if refer.fate and refer.asked_at >= at(-WINDOW_S)]
    assert health.last_asked_at == max(known, default=None)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 7, 0.0, 0.3543), (1, 7, 0.0257, 0.5131), (1, 8, 0.0224, 0.4709), (20, 20, 0.8389, 1.0)],
)
def test_wilsons_interval(hits: int, of: int, low: float, high: float) -> None:
    interval = wilson(hits, of)

    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


some_refers = st.lists(
    st.builds(Refer, st.integers(-7, 0).map(at), st.sampled_from("abcd"), st.sampled_from(Fate) | st.none()),
    max_size=30,
)


@given(some_refers, st.data())
def test_neither_order_nor_repetition_of_the_same_refers_matters(asked: list[Refer], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(asked), max_size=5)) if asked else []
    shuffled = data.draw(st.permutations(asked + repeated))

    assert health_of(shuffled, now=NOON) == health_of(asked, now=NOON)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_interval_holds_the_share_and_lies_between_nothing_and_all(hits: int, misses: int) -> None:
    of = hits + misses
    interval = wilson(hits, of)

    assert 0 <= interval.low <= interval.high <= 1
    if of:
        assert interval.low <= hits / of <= interval.high


FATES: list[tuple[str, dict[str, Any], Fate | None]] = [
    ("seen before its deadline", {"refer_seen_at": at(1)}, Fate.PROVEN),
    ("seen exactly at its deadline", {"refer_seen_at": at(4)}, Fate.PROVEN),
    ("seen after its deadline", {"refer_seen_at": at(9)}, Fate.LATE),
    ("never seen", {}, Fate.UNPROVEN),
    ("refused by OpenAI", {"refer_answer": "refused"}, Fate.REFUSED),
    ("too busy to take it", {"refer_answer": "busy"}, Fate.REFUSED),
    ("refused, and the caller moved at once", {"refer_answer": "refused", "document_fetched_at": at(2)}, Fate.REFUSED),
    ("refused, yet seen", {"refer_answer": "refused", "refer_seen_at": at(1)}, Fate.PROVEN),
    ("its deadline is not over", {"refer_deadline_at": at(61)}, None),
    ("seen while its deadline runs", {"refer_deadline_at": at(61), "refer_seen_at": at(1)}, Fate.PROVEN),
    ("the caller left before its deadline", {"settled_at": at(2)}, None),
    ("the caller was moved before its deadline", {"document_fetched_at": at(2)}, None),
    ("the caller was moved after its deadline", {"document_fetched_at": at(5)}, Fate.UNPROVEN),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "fate"), [row[1:] for row in FATES], ids=[row[0] for row in FATES])
def test_what_became_of_a_refer_is_read_from_its_attempt(fields: dict[str, Any], fate: Fate | None) -> None:
    make_refer(make_line(), NOON, "unproven", **fields)

    assert list(TransferAttempt.objects.referred(at(60)).values_list("fate", flat=True)) == [fate]


@pytest.mark.django_db
def test_the_carriers_refusal_is_a_refusal_and_a_transfer_without_a_refer_is_none() -> None:
    refer = make_refer(make_line(), NOON)
    other = make_attempt(make_call())
    evidence = other.evidence.get()
    refer.evidence.create(kind="refer_refused", witness="carrier", at=at(2), event=evidence.event)

    assert list(TransferAttempt.objects.referred(at(60)).values_list("pk", "fate")) == [(refer.pk, Fate.REFUSED)]
