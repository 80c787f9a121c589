"""Callers' numbers made unreadable in what leaves for people who may not read them. Pure.

Pages, fragments, JSON and files on the way out all pass here, so no page can
forget it. Of a number the first digit and the last two stay, which is enough to tell two callers apart.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_NUMBER: Final = re.compile(
    r"(?P<lead>\+|%2B|&#43;|\b(?:tel|sips?):)(?P<number>[0-9](?:[ .()/\u00a0-]{0,2}[0-9]){5,16})(?![0-9])",
    re.IGNORECASE,
)
HIDDEN: Final = "•"


def veil(text: str) -> str:
    """The text with every number in international form veiled; a text that is veiled already stays as it is."""
    return _NUMBER.sub(_veiled, text)


@lru_cache(maxsize=8)
def veil_once(text: str) -> str:
    """The same; what many sockets are sent is veiled once."""
    return veil(text)


def _veiled(found: re.Match[str]) -> str:
    number = found["number"]
    digits = sum(each.isdigit() for each in number)
    seen = 0
    out = []
    for each in number:
        seen += each.isdigit()
        out.append(HIDDEN if each.isdigit() and 1 < seen <= digits - 2 else each)
    return found["lead"] + "".join(out)
