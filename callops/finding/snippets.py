"""A few words around what was found in a turn, with what was found marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

AROUND: Final = 60
LONGEST: Final = 200
LONGEST_TEXT: Final = 100_000
"""As much of a turn as is indexed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `is_found`: it is what was looked for."""

    text: str
    is_found: bool = False


def snippet(text: str, phrases: Iterable[str]) -> list[Piece]:
    """At most `LONGEST` characters with the first find in sight; the beginning when the text holds none of them."""
    text = text[:LONGEST_TEXT]
    pattern = _pattern(tuple(phrases))
    first = pattern.search(text) if pattern else None
    begin = max(0, first.start() - AROUND) if first else 0
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    begin = begin if first is None or first.start() - begin < LONGEST // 2 else first.start() - AROUND
    end = min(len(text), begin + LONGEST)
    pieces = _pieces(text[begin:end], pattern)
    return [*([Piece("… ")] if begin else []), *pieces, *([Piece(" …")] if end < len(text) else [])]


def holds(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases is there to be marked."""
    pattern = _pattern(tuple(phrases))
    return bool(pattern and pattern.search(text[:LONGEST_TEXT]))


def _pieces(text: str, pattern: re.Pattern[str] | None) -> Sequence[Piece]:
    pieces: list[Piece] = []
    at = 0
    for found in pattern.finditer(text) if pattern else ():
        pieces += [Piece(text[at : found.start()]), Piece(found[0], is_found=True)]
        at = found.end()
    return [piece for piece in (*pieces, Piece(text[at:])) if piece.text]


@lru_cache(maxsize=64)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """Word after word with whatever stands between, as the index sees it."""
    each = []
    for phrase in phrases:
        words = [re.escape(word) for word in re.findall(r"[^\W_]+", phrase)]
        if words:
            each.append(r"[\W_]+".join(words) + (r"[^\W_]*" if phrase.rstrip().endswith("*") else ""))
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(each)})(?![^\W_])", re.IGNORECASE) if each else None
