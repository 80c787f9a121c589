"""The directory file (interface.md section 3), read as a whole: every row is good, or every fault is named."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import NOT_PROVIDED, Field

from callops.calls.models import Destination, Line
from callops.calls.toml_places import Places, find_places
from callops.calls.words import Policy, Redaction, ReferTarget, Topology

DESTINATION_KEYS = ("name", "label", "uri", "next", "screen")
LINE_KEYS = (
    "number",
    "name",
    "topology",
    "transfer_policy",
    "refer_target",
    "refer_deadline_s",
    "fallback",
    "ai_retries",
    "rescue_in_document",
    "model",
    "voice",
    "instructions",
    "greeting",
    "redact",
)
_REQUIRED = {"lines": ("number", "name"), "destinations": ("name", "label", "uri")}
_KEYS = {"lines": LINE_KEYS, "destinations": DESTINATION_KEYS}
_WORDS = {"topology": Topology.values, "transfer_policy": Policy.values, "refer_target": ReferTarget.values}
_MAY_BE_EMPTY = ("instructions", "greeting")
_NUMBER = r"\+[1-9][0-9]{6,14}"
_TEL = re.compile(rf"tel:{_NUMBER}")
_SIP = re.compile(r"""sip:[^\s@:;<>"\\]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[;?][^\s<>"\\]*)?""")
_SLUG = re.compile(r"[-A-Za-z0-9_]+")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
DEADLINE_S = (0.5, 60.0)
MOST_TRIES = 3


class DirectoryError(Exception):
    """Something is wrong on `line` of a directory file; `others` are the further faults of the same file."""

    def __init__(self, line: int, why: str, others: Sequence[DirectoryError] = ()) -> None:
        super().__init__(line, why)
        self.line = line
        self.why = why
        self.others = tuple(others)

    def __str__(self) -> str:
        return "\n".join(f"line {problem.line}: {problem.why}" for problem in self.problems)

    @property
    def problems(self) -> list[DirectoryError]:
        """Every fault of the file, in the order of its lines."""
        return [self, *self.others]


@dataclass(frozen=True, slots=True)
class Directory:
    """Rows of one good file, every key present: what the file leaves out has the model's default."""

    destinations: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def read_directory(source: bytes, known: Mapping[str, str | None]) -> Directory:
    """The rows of a file; `known` are the destinations that exist already, each with the name of its next.

    Raises `DirectoryError` with every fault found.
    """
    text, tables = _parse(source)
    places = find_places(text)
    problems = [*_shape(tables, places)]
    if not problems:
        problems = [*_values(tables, places), *_repetitions(tables, places), *_references(tables, places, known)]
    if problems:
        problems.sort(key=lambda problem: problem.line)
        first, *rest = problems
        raise DirectoryError(first.line, first.why, rest)
    return Directory(
        destinations=[_filled(Destination, DESTINATION_KEYS, row) for row in tables.get("destinations", [])],
        lines=[_filled(Line, LINE_KEYS, row) for row in tables.get("lines", [])],
    )


def _parse(source: bytes) -> tuple[str, dict[str, Any]]:
    try:
        text = source.decode()
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise DirectoryError(line, "the file is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        where = _AT_LINE.search(str(error))
        line = int(where[1]) if where and where[1] else max(1, len(source.splitlines()))
        raise DirectoryError(line, f"this is not TOML: {_AT_LINE.sub('', str(error))}") from error


def _shape(tables: dict[str, Any], places: Places) -> Iterator[DirectoryError]:
    for array, rows in tables.items():
        if array not in _KEYS:
            yield DirectoryError(places.line(array), f'unknown key "{array}"; known are [[lines]] and [[destinations]]')
        elif not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            yield DirectoryError(places.line(array), f"{array} are tables, each under its own [[{array}]]")


def _values(tables: dict[str, Any], places: Places) -> Iterator[DirectoryError]:
    for array, rows in tables.items():
        for index, row in enumerate(rows):
            for key in _REQUIRED[array]:
                if key not in row:
                    yield DirectoryError(places.line(array, index), f'the key "{key}" is missing in [[{array}]]')
            for key, value in row.items():
                if why := _fault(array, key, value):
                    yield DirectoryError(places.line(array, index, key), why)


def _fault(array: str, key: str, value: object) -> str | None:
    """What is wrong with one value, or None."""
    if key not in _KEYS[array]:
        return f'unknown key "{key}" in [[{array}]]; known are {", ".join(_KEYS[array])}'
    if key in _TYPED:
        return _TYPED[key](key, value)
    if not isinstance(value, str):
        return f"{key} must be text in quotes, not {value!r}"
    if not value.strip() and key not in _MAY_BE_EMPTY:
        return f"{key} must not be empty"
    if "\0" in value:
        return f"{key} must not hold a NUL character"
    if key in _WORDS and value not in _WORDS[key]:
        return f'{key} must be one of {", ".join(_WORDS[key])}, not "{value}"'
    if len(value) > (longest := _longest(array, key)):
        return f"{key} is {len(value)} characters long, at most {longest} are kept"
    return _form_fault(array, key, value)


def _deadline_fault(key: str, value: object) -> str | None:
    low, high = DEADLINE_S
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return f"{key} must be a number of seconds, not {value!r}"
    return None if low <= value <= high else f"{key} must be {low:g} to {high:g} seconds, not {value:g}"


def _tries_fault(key: str, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{key} must be a whole number, not {value!r}"
    return None if 0 <= value <= MOST_TRIES else f"{key} must be 0 to {MOST_TRIES}, not {value}"


def _switch_fault(key: str, value: object) -> str | None:
    return None if isinstance(value, bool) else f"{key} must be true or false, not {value!r}"


def _redact_fault(key: str, value: object) -> str | None:
    words = ", ".join(f'"{word}"' for word in Redaction.values)
    if not isinstance(value, list) or not all(word in Redaction.values for word in value):
        return f"{key} must be a list of these words, or an empty one: {words}; not {value!r}"
    return None


_TYPED: dict[str, Callable[[str, object], str | None]] = {
    "refer_deadline_s": _deadline_fault,
    "ai_retries": _tries_fault,
    "rescue_in_document": _switch_fault,
    "screen": _switch_fault,
    "redact": _redact_fault,
}


def _form_fault(array: str, key: str, value: str) -> str | None:
    if key == "number" and not re.fullmatch(_NUMBER, value):
        return f'"{value}" is not an E.164 number: "+", the country code and 7 to 15 digits in all, such as +15550100'
    if key == "uri" and not (_TEL.fullmatch(value) or _SIP.fullmatch(value)):
        return f'"{value}" is neither tel:+ with 7 to 15 digits nor sip:user@host'
    if array == "destinations" and key == "name" and not _SLUG.fullmatch(value):
        return f'"{value}" must be one word of letters, digits, "-" and "_": the assistant\'s tool uses it'
    return None


def _longest(array: str, key: str) -> float:
    field: Field[Any, Any] = _field(Line if array == "lines" else Destination, key)
    return getattr(field, "max_length", None) or math.inf


def _field(model: type[Line | Destination], key: str) -> Any:
    return model._meta.get_field(key)


def _repetitions(tables: dict[str, Any], places: Places) -> Iterator[DirectoryError]:
    for array, key in (("lines", "number"), ("destinations", "name")):
        first: dict[str, int] = {}
        for index, row in enumerate(tables.get(array, [])):
            value, line = row.get(key), places.line(array, index, key)
            if isinstance(value, str) and first.setdefault(value, line) != line:
                yield DirectoryError(line, f'{key} "{value}" stands on line {first[value]} already')


def _references(tables: dict[str, Any], places: Places, known: Mapping[str, str | None]) -> Iterator[DirectoryError]:
    desks = tables.get("destinations", [])
    steps = {**known, **{row["name"]: row.get("next") for row in desks if isinstance(row.get("name"), str)}}
    for array, key in (("lines", "fallback"), ("destinations", "next")):
        for index, row in enumerate(tables.get(array, [])):
            name = row.get(key)
            if isinstance(name, str) and name.strip() and name not in steps:
                yield DirectoryError(places.line(array, index, key), f'{key} "{name}" is not a destination')
    told: set[str] = set()
    for index, row in enumerate(desks):
        circle = _circle(row.get("name"), steps)
        if circle and not told.intersection(circle):
            told.update(circle)
            way = " to ".join([*circle, circle[0]])
            yield DirectoryError(places.line("destinations", index, "next"), f"next goes round in a circle: {way}")


def _circle(start: Any, steps: Mapping[str, Any]) -> list[str]:
    """The destinations passed on the way from `start` back to itself; empty when the way ends."""
    way: list[str] = []
    name = start
    while isinstance(name, str) and name in steps and name not in way:
        way.append(name)
        name = steps[name]
    return way if way and name == start else []


def _filled(model: type[Line | Destination], keys: Sequence[str], row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row.get(key, _default(model, key)) for key in keys}


def _default(model: type[Line | Destination], key: str) -> Any:
    default = _field(model, key).default
    if default is NOT_PROVIDED:
        return None
    return default() if callable(default) else default
