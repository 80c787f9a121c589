"""Digits as people write and say them: "4111 1111", "double four one", "twenty-two", "vier eins", "un deux". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UNITS: Final = (
    "zero oh o nought naught nil null cero zéro",
    "one eins ein uno un",
    "two zwei zwo dos deux",
    "three drei tres trois",
    "four vier cuatro quatre",
    "five fünf cinco cinq",
    "six sechs seis",
    "seven sieben siete sept",
    "eight acht ocho huit",
    "nine neun nueve neuf",
)
_TEENS: Final = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_REPEATS: Final = {"double": 2, "triple": 3, "treble": 3}
_BETWEEN: Final = "and uh um er erm then und äh y et euh"

DIGIT: Final = {word: str(digit) for digit, words in enumerate(_UNITS) for word in words.split()}
_TEEN: Final = {word: str(10 + at) for at, word in enumerate(_TEENS.split())}
_TEN: Final = {word: str(2 + at) for at, word in enumerate(_TENS.split())}


def _any_of(words: object) -> str:
    return "|".join(sorted(map(str, words), key=len, reverse=True))  # type: ignore[call-overload]


_ATOM: Final = (
    rf"\d+|\b(?:{_any_of(_REPEATS)})\s(?:{_any_of(DIGIT)}|\d)\b"
    rf"|\b(?:{_any_of(_TEN)})(?:[\s-](?:{_any_of(DIGIT)})\b|\b)"
    rf"|\b(?:{_any_of(DIGIT)}|{_any_of(_TEEN)})\b"
)
_GAP: Final = rf"[\s,.;:/·–—-]{{0,4}}(?:\b(?:{_any_of(_BETWEEN.split())})\b[\s,.;–—-]{{1,3}}){{0,2}}"
_ONE: Final = re.compile(_ATOM, re.IGNORECASE)
_RUN: Final = re.compile(rf"(?:{_ATOM})(?:{_GAP}(?:{_ATOM}))*", re.IGNORECASE)
WORDS: Final = frozenset([*DIGIT, *_TEEN, *_TEN])
"""One of these, or a digit, is in every run."""
_WEIGHT: Final = {**dict.fromkeys(DIGIT, 1), **dict.fromkeys(_TEEN, 2), **dict.fromkeys(_TEN, 2)}
"""The digits each word stands for."""
_WORD: Final = re.compile(r"\w+")
_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that follow each other with nothing said in between; `text[start:end]` is what was written or said."""

    start: int
    end: int
    digits: str


def has_digits(text: str) -> bool:
    """Whether any digit is written or said at all: the quick look before `runs`."""
    return _DIGIT.search(text) is not None or not WORDS.isdisjoint(words(text))


def at_most(text: str) -> int:
    """No more digits than so many are written or said in the text: the quick count before `runs`."""
    said = words(text)
    count = len(_DIGIT.findall(text)) + sum(_WEIGHT.get(word, 0) for word in said)
    return count if _REPEATS.keys().isdisjoint(said) else count * max(_REPEATS.values())


def words(text: str) -> list[str]:
    """The words of the text as `re.IGNORECASE` compares them, which takes a dotless i for an i."""
    return _WORD.findall(text.casefold().replace("ı", "i"))


def runs(text: str) -> Iterator[Run]:
    """Every run of digits in the text, in order."""
    for found in _RUN.finditer(text):
        digits = "".join(_digits(atom.group().lower()) for atom in _ONE.finditer(found.group()))
        yield Run(found.start(), found.end(), digits)


def _digits(atom: str) -> str:
    """What one atom stands for."""
    if atom.isdigit():
        return "".join(str(int(digit)) for digit in atom)
    words = re.split(r"[\s-]", atom)
    if words[0] in _REPEATS:
        return _digits(words[1]) * _REPEATS[words[0]]
    if words[0] in _TEN:
        return _TEN[words[0]] + (DIGIT[words[1]] if len(words) > 1 else "0")
    return DIGIT.get(atom) or _TEEN[atom]
