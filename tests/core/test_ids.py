from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callops.core.ids import ALPHABET, new_id, new_token

AT = datetime(2025, 11, 6, 17, 4, 33, tzinfo=UTC)


def test_an_id_is_26_lower_case_characters_without_lookalikes() -> None:
    name = new_id(AT)

    assert len(name) == 26
    assert set(name) <= set(ALPHABET)
    assert not set("ilou") & set(ALPHABET)


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),
    st.integers(min_value=1, max_value=10**12),
)
def test_an_id_made_in_a_later_millisecond_sorts_later(at: datetime, later_ms: int) -> None:
    assert new_id(at) < new_id(at + timedelta(milliseconds=later_ms + 1))


def test_ids_of_the_same_moment_differ() -> None:
    assert len({new_id(AT) for _ in range(1000)}) == 1000


def test_a_token_is_long_and_needs_no_escaping_anywhere() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) >= 32 and token.isascii() and token.isalnum() for token in tokens)
