"""Neither NUL nor half a character reaches the database."""

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.core.text import storable

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")) | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("given_value", "stored"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a\x00b\x00", "a\ufffdb\ufffd"),
        ({"a\x00": ["x\x00", {"y": "\x00"}]}, {"a\ufffd": ["x\ufffd", {"y": "\ufffd"}]}),
        (("a", "\x00"), ("a", "\ufffd")),
        ("a\ud800b\udfff", "a\ufffdb\ufffd"),
        ({"\udc00": "\U0001f600é"}, {"\ufffd": "\U0001f600é"}),
        (7, 7),
        (None, None),
    ],
)
def test_each_nul_is_replaced_wherever_it_stands(given_value: Any, stored: Any) -> None:
    assert storable(given_value) == stored


@given(json_values)
def test_what_is_stored_holds_no_nul_and_is_stable(value: Any) -> None:
    once = storable(value)

    assert "\\x00" not in repr(once).replace("\\\\", "")
    assert storable(once) is once


def test_a_value_without_nul_is_not_copied() -> None:
    value = {"a": ["b", {"c": "d"}]}

    assert storable(value) is value


def test_a_word_of_an_enum_stays_that_word() -> None:
    class Word(enum.StrEnum):
        ONE = "one"

    assert storable(Word.ONE) is Word.ONE
