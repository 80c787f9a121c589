"""Callers' numbers made unreadable in what leaves for people who may not read them. Pure.

Pages, fragments, JSON and files on the way out all pass here, so no page can
forget it. Of a number the first digit and the last two stay, which is enough to tell two callers apart. A number in
its national form has no plus to be known by: the pages put it into an element of its own, and two digits stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_NUMBER: Final = re.compile(
    r"(?P<lead>\+|%2B|&#43;|\b(?:tel|sips?):)(?P<number>[0-9](?:[ .()/\u00a0-]{0,2}[0-9]){4,16})(?![0-9])",
    re.IGNORECASE,
)
_TEL: Final = '<data class="tel"'
_NATIONAL: Final = re.compile(rf"(?P<lead>{_TEL}[^>]*>)(?P<number>[^<]*)")
_LEADS: Final = ("+", "%2b", "&#43;", "tel:", "sip:", "sips:")
_DIGIT_OR_HIDDEN: Final = re.compile(r"[0-9•]")
HIDDEN: Final = "•"


def veil(text: str) -> str:
    """The text with every number veiled; a text that is veiled already stays as it is."""
    if _may_hold_a_number(text):
        text = _NUMBER.sub(_veiled, text)
    return _NATIONAL.sub(_veiled_national, text) if _TEL in text else text


@lru_cache(maxsize=8)
def veil_once(text: str) -> str:
    """The same; what many sockets are sent is veiled once."""
    return veil(text)


def _may_hold_a_number(text: str) -> bool:
    """The quick look before the search, which stops at every single character: whether any lead is in the text."""
    folded = text.casefold().replace("ı", "i").replace("\u0307", "")  # as `re.IGNORECASE` compares: İ is an i too
    return any(lead in folded for lead in _LEADS)


def _veiled(found: re.Match[str]) -> str:
    number = found["number"]
    digits = sum(each.isdigit() for each in number)
    seen = 0
    out = []
    for each in number:
        seen += each.isdigit()
        out.append(HIDDEN if each.isdigit() and 1 < seen <= digits - 2 else each)
    return found["lead"] + "".join(out)


def _veiled_national(found: re.Match[str]) -> str:
    number = found["number"]
    hide = max(0, len(_DIGIT_OR_HIDDEN.findall(number)) - 2)
    return found["lead"] + _DIGIT_OR_HIDDEN.sub(HIDDEN, number, count=hide) if hide else found[0]
