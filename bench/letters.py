"""Numbers as words that no rule takes for numbers."""

from __future__ import annotations

from typing import Final

LETTERS: Final = "bcdfghjklmnpqrst"


def in_letters(number: int) -> str:
    """The number in base 16, by letters."""
    return "".join(LETTERS[int(digit, 16)] for digit in f"{number:x}")


def from_letters(word: str) -> int:
    """The number that was written so."""
    return int("".join(f"{LETTERS.index(letter):x}" for letter in word), 16)
