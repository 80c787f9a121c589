from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callops.sideband.ordering import Ordering

CHAIN = ["a", "b", "c", "d", "e", "f"]


@given(st.permutations(list(range(len(CHAIN)))))
def test_a_chain_learnt_in_any_order_is_the_same_chain(arrival: list[int]) -> None:
    ordering = Ordering()

    for number in [*arrival, *reversed(arrival)]:
        ordering.place(CHAIN[number], CHAIN[number - 1] if number else None)

    assert ordering.order == CHAIN
    assert ordering.ranks == {item_id: rank for rank, item_id in enumerate(CHAIN)}


@given(st.lists(st.tuples(st.sampled_from(CHAIN), st.sampled_from([*CHAIN, None])), max_size=30))
def test_contradictions_never_lose_or_double_an_item(claims: list[tuple[str, str | None]]) -> None:
    ordering = Ordering()

    for item_id, previous in claims:
        before = list(ordering.order)
        moved = ordering.place(item_id, previous)
        assert moved == (ordering.order[: len(before)] != before)

    assert sorted(ordering.order) == sorted(set(ordering.order))
    assert {item_id for item_id, _ in claims} <= set(ordering.order)


def test_a_later_insertion_after_the_same_item_comes_before_the_earlier_one() -> None:
    ordering = Ordering()

    moves = [ordering.place("a", None), ordering.place("b", "a"), ordering.place("x", "a")]

    assert ordering.order == ["a", "x", "b"]
    assert moves == [False, False, True]


def test_root_is_the_front() -> None:
    ordering = Ordering()

    ordering.place("a", None)
    ordering.place("first", "root")

    assert ordering.order == ["first", "a"]


def test_a_note_stays_with_the_item_it_was_pinned_to() -> None:
    ordering = Ordering()

    ordering.pin("early")
    ordering.arrive("c")
    ordering.pin("key 1")
    ordering.pin("key 2")
    ordering.place("a", None)
    ordering.place("b", "c")
    ordering.place("c", "a")

    assert ordering.order == ["early", "a", "c", "key 1", "key 2", "b"]
