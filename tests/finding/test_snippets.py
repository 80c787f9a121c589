from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.finding.snippets import LONGEST, snippet


def marked(text: str, *phrases: str) -> str:
    return "".join(f"[{piece.text}]" if piece.is_found else piece.text for piece in snippet(text, phrases))


@pytest.mark.parametrize(
    ("text", "phrases", "shown"),
    [
        ("I want a Refund now", ["refund"], "I want a [Refund] now"),
        ("I was refunded", ["refund"], "I was refunded"),
        ("I was refunded", ["refund*"], "I was [refunded]"),
        ("the money, back now", ["money back", "now"], "the [money, back] [now]"),
        ("snake_case", ["case"], "snake_[case]"),
        ("<b>bold</b>", ["b"], "<[b]>bold</[b]>"),
    ],
)
def test_what_was_looked_for_is_marked(text: str, phrases: list[str], shown: str) -> None:
    assert marked(text, *phrases) == shown


def test_a_long_turn_is_cut_around_the_first_find() -> None:
    shown = marked("before " * 100 + "refund" + " after" * 100, "refund")

    assert shown.startswith("… before")
    assert shown.endswith(" …")
    assert "before [refund] after" in shown


@given(text=st.text(max_size=600), phrases=st.lists(st.text(max_size=20), max_size=3))
def test_a_snippet_is_a_piece_of_the_text_and_short(text: str, phrases: list[str]) -> None:
    pieces = snippet(text, phrases)
    inner = "".join(piece.text for piece in pieces).removeprefix("… ").removesuffix(" …")

    assert inner.strip() in text
    assert len(inner) <= LONGEST
