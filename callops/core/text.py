"""Text as the database takes it, and as it can be read out again: no NUL, which PostgreSQL refuses in every text and
JSON column, and no half of a surrogate pair, which JSON can bring and no page or file can be made of.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

T = TypeVar("T")

NUL = "\x00"
_UNFIT = re.compile("[\x00\ud800-\udfff]")
IN_ITS_PLACE = "\N{REPLACEMENT CHARACTER}"
WHY_UNFIT = "It has a character in it that cannot be kept (NUL, shown as \N{REPLACEMENT CHARACTER}). Take it out."
"""What a person is told who typed or pasted such a character."""


def storable(value: T) -> T:
    """The same value with U+FFFD for each NUL and half character, in texts, lists and mappings (keys too) at any depth.

    A value without any is returned as it is, not copied.
    """
    return _cleaned(value) if _is_unfit(value) else value


def is_storable(text: str) -> bool:
    """Whether the text can be kept just as it is: what people type is refused otherwise, not changed."""
    return not _is_unfit(text)


def _is_unfit(value: Any) -> bool:
    if isinstance(value, str):
        return NUL in value or (not value.isascii() and _UNFIT.search(value) is not None)
    if isinstance(value, dict):
        return any(_is_unfit(key) or _is_unfit(item) for key, item in value.items())
    return isinstance(value, (list, tuple)) and any(_is_unfit(item) for item in value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _UNFIT.sub(IN_ITS_PLACE, value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return type(value)(_cleaned(item) for item in value) if isinstance(value, (list, tuple)) else value
