"""What people type into the one search box, taken apart. Pure.

Terms stand between spaces and all have to fit: `name:value`, `name>duration`, `name<duration`, an id, a part of a
number, or words of the transcript; what stands in quotes is looked for as it is, word after word. A minus before a term
turns it around. What cannot be understood is said, with how to mend it, and left out; it is never lost from the box.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from enum import Enum
from typing import Final

from callops.core.text import WHY_UNFIT, is_storable
from callops.finding.fields import FIELDS, Field, Takes

_TOKEN: Final = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z_]+)(?P<op>[:<>]))?(?P<value>"[^"]*"?\*?|[^\s"]\S*)?')
_DURATION: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h|d|w)?")
_SECONDS: Final = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST_S: Final = 10 * 365 * 86400
_NUMBER: Final = re.compile(r"\+?[0-9][0-9().\-/]*|[(][0-9][0-9().\-/]*")


class Is(Enum):
    """What a term looks for."""

    FIELD = "field"
    NUMBER = "number"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; `text` is how it is written, `value` what it means (a word, seconds, a moment, digits, words)."""

    text: str
    kind: Is
    value: str | float | datetime
    name: str = ""
    op: str = ""
    is_turned: bool = False
    is_quoted: bool = False

    @property
    def field(self) -> Field:
        """What is known of its name."""
        return FIELDS[self.name]


@dataclass(frozen=True, slots=True)
class Problem:
    """A term that was left out, and why, with how to mend it."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Query:
    """Terms that all have to fit, and what was not understood."""

    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms or self.problems)

    def without(self, left_out: Term | Problem) -> str:
        """The same, written, without this one."""
        return " ".join(each.text for each in self.parts if each is not left_out)

    @property
    def parts(self) -> list[Term | Problem]:
        """All that was typed: what is looked for, then what was not understood."""
        return [*self.terms, *self.problems]

    def of(self, kind: Is) -> list[Term]:
        """The terms that look for this."""
        return [term for term in self.terms if term.kind is kind]


def parse(text: str, *, now: datetime, zone: tzinfo = UTC) -> Query:
    """The query that `text` writes; days without a clock time begin at midnight in `zone`."""
    terms: list[Term] = []
    problems: list[Problem] = []
    for token in _TOKEN.finditer(text):
        if not token[0].strip():
            continue
        found = _term(token, now, zone)
        if isinstance(found, Problem):
            problems.append(found)
        elif found.kind is Is.NUMBER and terms and terms[-1].kind is Is.NUMBER and not found.is_turned:
            terms[-1] = _longer(terms[-1], found)
        else:
            terms.append(found)
    return Query(tuple(terms), tuple(problems))


def _term(token: re.Match[str], now: datetime, zone: tzinfo) -> Term | Problem:
    if not is_storable(token[0]):
        return Problem(token[0], WHY_UNFIT)
    name = (token["name"] or "").lower()
    if name in FIELDS:
        return _field(token, FIELDS[name], now, zone)
    whole = token[0].removeprefix(token["minus"])
    if name and (near := get_close_matches(name, FIELDS, n=1, cutoff=0.75)):
        return Problem(token[0], f"There is no filter “{name}”. Did you mean “{near[0]}”? In quotes it is words.")
    quoted = whole.startswith('"')
    words = whole.strip('"*') + "*" * whole.endswith("*") if quoted else whole
    if not quoted and _NUMBER.fullmatch(whole):
        return Term(token[0], Is.NUMBER, re.sub(r"[^0-9]", "", whole), is_turned=bool(token["minus"]))
    if not any(each.isalnum() for each in words):
        return Problem(token[0], f"“{whole}” has no word in it to look for.")
    return Term(token[0], Is.WORDS, words, is_turned=bool(token["minus"]), is_quoted=quoted)


def _field(token: re.Match[str], field: Field, now: datetime, zone: tzinfo) -> Term | Problem:
    value, op = (token["value"] or "").strip('"'), token["op"]
    meant: str | float | datetime | None
    if not value:
        return Problem(token[0], f"“{field.name}{op}” wants a value: {field.example}.")
    if (field.takes is Takes.DURATION) != (op in "<>"):
        return Problem(token[0], f"“{field.name}” is written like {field.example}.")
    if field.takes is Takes.DURATION:
        meant = _seconds(value)
    elif field.takes is Takes.MOMENT:
        meant = _moment(value, now, zone)
    elif field.takes is Takes.WORD:
        meant = _word(value, field.words)
    else:
        meant = value
    if meant is None:
        return Problem(token[0], f"“{value}” is nothing that “{field.name}” knows: {_choices(field)}.")
    return Term(token[0], Is.FIELD, meant, name=field.name, op=op, is_turned=bool(token["minus"]))


def _choices(field: Field) -> str:
    return ", ".join(field.words) if field.words else field.example


def _word(value: str, words: Mapping[str, str]) -> str | None:
    wanted = value.lower().replace("-", "_").replace(" ", "_")
    return wanted if wanted in words else None


def _seconds(value: str) -> float | None:
    parts = list(_DURATION.finditer(value.lower()))
    if "".join(part[0] for part in parts) != value.lower() or not parts:
        return None
    seconds = sum(float(part[1]) * _SECONDS[part[2] or ""] for part in parts)
    return seconds if seconds <= _LONGEST_S else None


def _moment(value: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`2h` ago, `today`, `yesterday`, a day, or a day and a time."""
    days = {"today": 0, "yesterday": 1}.get(value.lower())
    try:
        if days is not None:
            midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight - timedelta(days=days)
        if re.search(r"[a-z]$", value.lower()) and (ago := _seconds(value)) is not None:
            return now - timedelta(seconds=ago)
        told = datetime.fromisoformat(value.upper())
        told = told if told.tzinfo else told.replace(tzinfo=zone)
        return told if told.timestamp() >= 0 else None
    except (ValueError, OverflowError):
        return None


def _longer(before: Term, more: Term) -> Term:
    """A number that was written with spaces."""
    return Term(f"{before.text} {more.text}", Is.NUMBER, f"{before.value}{more.value}", is_turned=before.is_turned)
