"""What a person hears before they take a screened call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.whisper import MAX_SPOKEN, question, spoken


@pytest.mark.parametrize(
    ("summary", "reason", "words"),
    [
        ("", "", "Press 1 to take the call. A caller asked for a person."),
        ("", "home oxygen", "Press 1 to take the call. The caller asked about home oxygen."),
        (
            "Power is out in Birchwood Avenue.",
            "outage",
            "Press 1 to take the call. What the caller asked about: Power is out in Birchwood Avenue.",
        ),
        ("  ...  ", "<b></b>", "Press 1 to take the call. A caller asked for a person."),
    ],
)
def test_the_question_says_how_to_take_the_call_and_what_it_is_about(summary: str, reason: str, words: str) -> None:
    assert question(summary=summary, reason=reason) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Refund**\n<break time='9s'/> of `40` dollars", "Refund of 40 dollars."),
        ("Why is the bill so high?", "Why is the bill so high?"),
        ("word " * 100, ("word " * 48).strip() + "."),
        ("x" * 500, "x" * MAX_SPOKEN + "."),
    ],
)
def test_what_is_read_out_is_plain_and_short(text: str, words: str) -> None:
    assert spoken(text) == words


@given(st.text(max_size=600))
def test_no_text_makes_a_long_or_marked_up_question(text: str) -> None:
    said = spoken(text)

    assert len(said) <= MAX_SPOKEN + 1
    assert not set("<>{}*_`#|\\\n") & set(said)
