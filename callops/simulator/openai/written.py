"""A conversation handed in from outside, line by line, as JSON: checked before anybody plays it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from callops.simulator.openai.script import Assistant, Caller, Keys, Leaves, Line, Then

MOST_LINES: Final = 400
MOST_CHARACTERS: Final = 4000
KEYS: Final = frozenset("0123456789*#ABCD")


class BadLine(ValueError):
    """A line that cannot be played; the message says which and why."""


def lines_of(told: Any) -> tuple[Line, ...]:
    """The lines of `[{"who": "caller", "words": "…"}, …]`. Raises `BadLine` for what cannot be played."""
    if not isinstance(told, list) or not 0 < len(told) <= MOST_LINES:
        raise BadLine(f"lines must be a list of 1 to {MOST_LINES}")
    lines = tuple(_line(number, one) for number, one in enumerate(told, start=1))
    if any(isinstance(line, Then) for line in lines) and not any(isinstance(line, Assistant) for line in lines):
        raise BadLine("a line of “then” needs an assistant's line with a tool before it")
    return lines


def _line(number: int, told: Any) -> Line:
    make = _WHO.get(str(told.get("who"))) if isinstance(told, Mapping) else None
    if make is None:
        raise BadLine(f"line {number} must say who: {', '.join(_WHO)}")
    try:
        return make(told)
    except ValueError as wrong:
        raise BadLine(f"line {number}: {wrong}") from wrong


def _assistant(told: Mapping[str, Any]) -> Line:
    tool, arguments = told.get("tool"), told.get("arguments") or {}
    if tool is not None and not isinstance(tool, str):
        raise ValueError("tool must be a name")
    if not isinstance(arguments, dict):
        raise ValueError("arguments must be an object")
    return Assistant(_words(told), tool=tool, arguments=arguments, asked=told.get("asked") is True)


def _words(told: Mapping[str, Any]) -> str:
    words = told.get("words")
    if not isinstance(words, str) or not words.strip() or len(words) > MOST_CHARACTERS:
        raise ValueError(f"words must be a text of at most {MOST_CHARACTERS} characters")
    return words


def _keys(told: Mapping[str, Any]) -> Line:
    keys = told.get("keys")
    if not isinstance(keys, str) or not keys or set(keys) - KEYS:
        raise ValueError("keys must be made of 0 to 9, *, # and A to D")
    return Keys(keys)


def _pause(told: Mapping[str, Any], usual_s: float) -> float:
    pause = told.get("pause_s", usual_s)
    if not isinstance(pause, int | float) or isinstance(pause, bool) or not math.isfinite(pause) or pause < 0:
        raise ValueError("pause_s must be a number of seconds")
    return min(float(pause), 120.0)


_WHO: Final[Mapping[str, Callable[[Mapping[str, Any]], Line]]] = {
    "assistant": _assistant,
    "then": lambda told: Then(_words(told)),
    "caller": lambda told: Caller(_words(told), pause_s=_pause(told, 0.9)),
    "keys": _keys,
    "leaves": lambda told: Leaves(pause_s=_pause(told, 0.8)),
}
