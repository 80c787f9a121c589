"""Callers who do not show their number, in all the spellings carriers have for it (contract Twilio 1.1)."""

from __future__ import annotations

WORDS = frozenset({"anonymous", "unknown", "restricted", "blocked", "unavailable", "private", "withheld"})
NUMBERS = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"})
"""Keypad spellings of such words."""
SPELLINGS = WORDS | NUMBERS | {""}


def is_withheld(number: str) -> bool:
    """Whether the number says nothing of who calls."""
    return number.lower() in SPELLINGS
