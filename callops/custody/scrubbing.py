"""A caller taken out of what a provider told: their number in every form, and where they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final

import phonenumbers

ERASED: Final = "erased"
_PLACES: Final = re.compile(r"(?:From|Caller|To|Called)(?:City|State|Zip|Country)|CallerName|ForwardedFrom|Stir\w+")
"""Parameters of a callback that say who the caller is or where (contract Twilio 2.1)."""
_GAP: Final = r"[\s()./\-\u2010-\u2015]{0,3}"
"""What people put between the digits of a number."""
_SHORTEST: Final = 6
"""A national number of fewer digits is no trace: too much else looks like it."""


def forms(number: str) -> list[str]:
    """The digits under which an E.164 number may stand in a text, longest first."""
    digits = number.removeprefix("+")
    try:
        national = phonenumbers.national_significant_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        national = ""
    return [digits, *([national] if _SHORTEST <= len(national) < len(digits) else [])]


def scrub_written(text: str, number: str) -> str:
    """What a person wrote, without this E.164 number however they spaced it, also without its country code.

    The end of a number of another country that has the same digits stays.
    """
    return _written(number).sub(lambda found: found[0] if _is_tail(text[: found.start()]) else ERASED, text)


def scrub(value: Any, numbers: Collection[str]) -> Any:
    """The same value without these numbers (as `forms` gives them) and without the parameters that name a place."""
    if isinstance(value, str):
        return _pattern(tuple(numbers)).sub(ERASED, value)
    if isinstance(value, dict):
        return {key: _scrubbed(str(key), each, numbers) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(each, numbers) for each in value]
    return value


def _scrubbed(key: str, value: Any, numbers: Collection[str]) -> Any:
    return ERASED if value and _PLACES.fullmatch(key) else scrub(value, numbers)


def _is_tail(before: str) -> bool:
    """Whether a number with another country code goes on after this."""
    return re.search(rf"(?:\+|(?<![0-9])00)[0-9]{{1,4}}{_GAP}(?:\(?0\)?{_GAP})?$", before[-24:]) is not None


@lru_cache(maxsize=64)
def _written(number: str) -> re.Pattern[str]:
    """The number with gaps, a zero before the national part, and any prefix of a number with its country code."""
    whole, *national = forms(number)
    local = _GAP.join(national[0] if national else whole)
    code = _GAP.join(whole.removesuffix(national[0])) if national else ""
    abroad = rf"(?:\+|00)?{_GAP}{code}{_GAP}" if code else r"(?:\+|00)?"
    return re.compile(rf"(?<![0-9A-Za-z+])(?:\(?{abroad}\)?{_GAP})?(?:\(?0\)?{_GAP})?\(?{local}(?![0-9A-Za-z])")


@lru_cache(maxsize=64)
def _pattern(numbers: tuple[str, ...]) -> re.Pattern[str]:
    any_form = "|".join(map(re.escape, numbers))
    return re.compile(rf"(?<![0-9A-Za-z])(?:\+|%2B)?(?:{any_form})(?![0-9A-Za-z])", re.IGNORECASE)
