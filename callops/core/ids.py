"""Names for new rows, and tokens nobody can guess."""

from __future__ import annotations

import secrets
import string
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, lower case: no i, l, o, u."""

_TIME_CHARS = 10
_RANDOM_CHARS = 16
_TOKEN_ALPHABET = string.ascii_letters + string.digits
_TOKEN_CHARS = 40


def _base32(number: int, chars: int) -> str:
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(chars)))


def new_id(now: datetime) -> str:
    """A fresh ULID of 26 lower-case characters: ids made in later milliseconds sort later."""
    milliseconds = int(now.timestamp() * 1000)
    return _base32(milliseconds, _TIME_CHARS) + _base32(secrets.randbits(80), _RANDOM_CHARS)


def first_id(at: datetime) -> str:
    """Not above any id made from this millisecond on, and above all ids made before: ids as a clock."""
    return _base32(int(at.timestamp() * 1000), _TIME_CHARS) + "0" * _RANDOM_CHARS


def new_token() -> str:
    """40 random letters and digits (about 238 bits), safe in a URL and in a SIP header."""
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_CHARS))
