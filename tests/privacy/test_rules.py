"""What must not stay readable is replaced, however it is written or said, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import luhn

from callops.calls.words import Redaction
from callops.privacy import spoken
from callops.privacy.rules import redact

USUAL = (Redaction.CARD, Redaction.NATIONAL_ID, Redaction.EMAIL)
EVERY = tuple(Redaction)
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def card(prefix: str, length: int) -> str:
    body = prefix.ljust(length - 1, "7")
    return body + luhn.calc_check_digit(body)


@pytest.mark.parametrize(
    "said",
    [
        "My card is 4111 1111 1111 1111.",
        "It's 4111-1111-1111-1111, thanks.",
        "four one one one, one one one one, one one one one, one one one one",
        "four triple one, double one double one, uh, one one one one, and one one one one",
        "Oh, forty-one eleven eleven eleven eleven eleven eleven eleven",
        "vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins",
        "cuatro uno uno uno, uno uno uno uno, uno uno uno uno, uno uno uno uno",
        "quatre un un un un un un un un un un un un un un un",
        "5500 0000 0000 0004 12 27 123",
        "3782 822463 10005",
    ],
)
def test_a_card_number_goes_however_it_is_said(said: str) -> None:
    shown = redact(said, USUAL)

    assert "[card number]" in shown.text
    assert shown.counts == {"card": 1}
    assert not spoken.has_digits(shown.text.replace("Oh,", ""))


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("What is your card number, please?", "4111 1111 1111 1112"),
        ("And the security code?", "one two three"),
        ("", "The CVV is 123"),
    ],
)
def test_what_was_asked_for_as_a_card_goes_even_when_it_was_misheard(before: str, said: str) -> None:
    assert redact(said, USUAL, before=before).counts == {"card": 1}


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", "078-05-1121"),
        ("Your social security number?", "oh seven eight oh five one one two one"),
        ("", "My number is AB 12 34 56 C"),
        ("", "756.9217.0769.85"),
        ("", "54362315K"),
        ("", "RCCMNL83S18D969H"),
        ("Ihre Steuernummer bitte?", "acht sechs null neun fünf sieben vier zwei sieben eins neun"),
    ],
)
def test_a_national_id_goes(before: str, said: str) -> None:
    shown = redact(said, USUAL, before=before)

    assert shown.counts == {"national_id": 1}
    assert "[national id]" in shown.text


@pytest.mark.parametrize(
    "said",
    [
        "nora@example.com",
        "It is nora dot lind at example dot com",
        "nora underscore l at gmail.com",
        "me arroba ejemplo punto es",
    ],
)
def test_an_address_goes(said: str) -> None:
    assert redact(said, USUAL).counts == {"email": 1}


@pytest.mark.parametrize(
    "said",
    [
        "My customer number is two two one zero.",
        "Call me at +1 555 0123 4567.",
        "I look at the house, and then there were three of us in 2026.",
        "You find it at northline.com.",
        "One or two things, oh well, at nine o'clock.",
        "Order 1234567890123 has not arrived.",
        "",
    ],
)
def test_everything_else_stays(said: str) -> None:
    assert redact(said, USUAL).text == said


def test_a_long_number_goes_where_the_line_says_so() -> None:
    assert redact("Order 123 456 789.", [Redaction.DIGITS]).text == "Order [long number]."
    assert redact("Order 123 456 78.", [Redaction.DIGITS]).text == "Order 123 456 78."


def test_digits_that_may_become_a_card_number_are_not_shown_while_it_is_being_said() -> None:
    assert redact("It is four one one one", USUAL, finished=False).text == "It is …"
    assert redact("It is four one one one", USUAL).text == "It is four one one one"
    assert redact("It is four one", USUAL, finished=False).text == "It is four one"


def test_a_place_in_the_original_is_found_again() -> None:
    said = "My 4111 1111 1111 1111 ends"
    shown = redact(said, USUAL)

    assert shown.text == "My [card number] ends"
    assert [shown.moved(at) for at in (0, 3, 5, 22, len(said))] == [0, 3, 16, 16, len(shown.text)]


@given(st.text(max_size=400))
def test_nothing_breaks_and_a_second_look_finds_nothing(text: str) -> None:
    shown = redact(text, EVERY)

    assert redact(shown.text, EVERY).text == shown.text
    assert shown.moved(len(text)) == len(shown.text)


@given(
    prefix=st.sampled_from(["4", "51", "2221", "34", "6011", "62"]),
    length=st.integers(13, 19),
    cut=st.lists(st.integers(1, 18), max_size=4),
    aloud=st.booleans(),
)
@example(prefix="4", length=16, cut=[], aloud=True)
def test_no_digit_of_a_card_number_is_left(prefix: str, length: int, cut: list[int], aloud: bool) -> None:
    number = card(prefix, length)
    said = [(WORDS[int(one)] if aloud else one) + ("," if at in cut else "") for at, one in enumerate(number)]

    shown = redact(f"It is {' '.join(said)}. Thanks", USUAL)

    assert shown.text.replace(",", "") == "It is [card number]. Thanks"


ATOMS = st.sampled_from(
    [
        *WORDS,
        "twelve",
        "twenty",
        "twenty-two",
        "forty one",
        "double",
        "triple",
        "treble",
        "vier",
        "un",
        "12",
        "4111",
        "a",
    ]
)


@given(st.lists(st.tuples(ATOMS, st.sampled_from([" ", "-", ", ", "_", "", ". "]))))
@example([("triple", " "), ("one", " ")])
def test_the_quick_count_of_digits_is_never_less_than_there_are(pieces: list[tuple[str, str]]) -> None:
    text = "".join(word + gap for word, gap in pieces)

    assert sum(len(run.digits) for run in spoken.runs(text)) <= spoken.at_most(text)
