"""Telephone numbers as people read them. Pure; what is kept, copied and sent stays E.164.

A number of the country that was called is shown as people there write it; any other with its country code in front.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

_E164: Final = re.compile(r"\+[1-9][0-9]{4,14}")
SHORT_DIGITS: Final = 7
"""What is left of a fictional number after its country code."""


@lru_cache(maxsize=4096)
def international(number: str) -> str:
    """With the country code: `+1 555 0123`; what is no number in E.164 stays as it is."""
    parsed = _parsed(number)
    if parsed is None:
        return number
    rest = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL).split(" ", 1)[-1]
    if rest.isdigit() and len(rest) == SHORT_DIGITS:
        rest = f"{rest[:3]} {rest[3:]}"
    return f"+{parsed.country_code} {rest.replace('-', ' ')}"


@lru_cache(maxsize=4096)
def national(number: str, called: str) -> str | None:
    """As people in its own country write it: `(202) 555-0123`.

    None when that is not known, or when `called`, the number that was dialled, is of another country.
    """
    parsed, home = _parsed(number), _parsed(called)
    if parsed is None or home is None or parsed.country_code != home.country_code:
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)


def _parsed(number: str) -> PhoneNumber | None:
    if not _E164.fullmatch(number):
        return None
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
