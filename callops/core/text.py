"""Text as the database takes it: PostgreSQL refuses the NUL character in every text and JSON column."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")

NUL = "\x00"
IN_ITS_PLACE = "\N{REPLACEMENT CHARACTER}"


def storable(value: T) -> T:
    """The same value with U+FFFD for each NUL, in texts, lists and mappings (keys too) at any depth.

    A value without NUL is returned as it is, not copied.
    """
    return _cleaned(value) if _holds_nul(value) else value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return NUL in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, (list, tuple)) and any(_holds_nul(item) for item in value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, IN_ITS_PLACE)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return type(value)(_cleaned(item) for item in value) if isinstance(value, (list, tuple)) else value
