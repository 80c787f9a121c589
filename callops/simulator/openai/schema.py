"""Kinds of JSON values and the provider's way of refusing them (contract OpenAI 3.2 and 3.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Invalid(Exception):
    """A value the provider does not take; `message`, `code` and `param` are the words of its error object."""

    def __init__(self, message: str, *, code: str, param: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param

    @classmethod
    def missing(cls, path: str) -> Invalid:
        return cls(f"Missing required parameter: '{path}'.", code="missing_required_parameter", param=path)

    @classmethod
    def unknown(cls, path: str) -> Invalid:
        return cls(f"Unknown parameter: '{path}'.", code="unknown_parameter", param=path)

    @classmethod
    def wrong_type(cls, path: str, expected: str, value: object) -> Invalid:
        words = f"Invalid type for '{path}': expected {expected}, but got {named(value)} instead."
        return cls(words, code="invalid_type", param=path)

    @classmethod
    def wrong_value(cls, path: str, why: str) -> Invalid:
        return cls(f"Invalid '{path}': {why}", code="invalid_value", param=path)

    @classmethod
    def not_among(cls, path: str, value: object, choices: Sequence[str]) -> Invalid:
        quoted = [f"'{choice}'" for choice in choices]
        listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
        words = f"Invalid value: '{value}'. Supported values are: {listed}."
        return cls(words, code="invalid_value", param=path)


def named(value: object) -> str:
    """The provider's name for the type of a JSON value."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array"}
    return names.get(type(value), "an object")


class Kind(Protocol):
    """One kind of JSON value."""

    @property
    def expected(self) -> str:
        """What this kind is called in an `invalid_type` error."""

    def check(self, value: object, path: str) -> None:
        """Raise `Invalid` when `value` is not of this kind; `path` names it."""


@dataclass(frozen=True)
class Text:
    """A string, at most `longest` characters, wholly matching `pattern` when one is given."""

    longest: int | None = None
    pattern: str | None = None
    expected: str = "a string"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, str):
            raise Invalid.wrong_type(path, self.expected, value)
        if self.longest is not None and len(value) > self.longest:
            raise Invalid.wrong_value(path, f"string too long. Expected at most {self.longest} characters.")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise Invalid.wrong_value(path, f"string does not match pattern. Expected '{self.pattern}'.")


@dataclass(frozen=True)
class Flag:
    """true or false."""

    expected: str = "a boolean"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, bool):
            raise Invalid.wrong_type(path, self.expected, value)


@dataclass(frozen=True)
class Number:
    """A number between `low` and `high`, both included; an integer when `whole`."""

    low: float | None = None
    high: float | None = None
    whole: bool = False

    @property
    def expected(self) -> str:
        return "an integer" if self.whole else "a decimal"

    def check(self, value: object, path: str) -> None:
        good = isinstance(value, int) or (isinstance(value, float) and not self.whole)
        if isinstance(value, bool) or not isinstance(value, int | float) or not good:
            raise Invalid.wrong_type(path, self.expected, value)
        if self.low is not None and value < self.low:
            raise Invalid.wrong_value(path, f"Expected a value >= {self.low}, but got {value} instead.")
        if self.high is not None and value > self.high:
            raise Invalid.wrong_value(path, f"Expected a value <= {self.high}, but got {value} instead.")


@dataclass(frozen=True)
class Choice:
    """One of a few strings."""

    choices: tuple[str, ...]
    expected: str = "a string"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, str):
            raise Invalid.wrong_type(path, self.expected, value)
        if value not in self.choices:
            raise Invalid.not_among(path, value, self.choices)


@dataclass(frozen=True)
class ListOf:
    """An array whose entries are all of one kind; `exactly` fixes its length."""

    entry: Kind
    exactly: int | None = None
    expected: str = "an array"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, list):
            raise Invalid.wrong_type(path, self.expected, value)
        if self.exactly is not None and len(value) != self.exactly:
            raise Invalid.wrong_value(path, f"Expected an array of length {self.exactly}, but got {len(value)}.")
        for index, entry in enumerate(value):
            self.entry.check(entry, f"{path}[{index}]")


@dataclass(frozen=True)
class MapOf:
    """An object with free keys whose values are all of one kind."""

    entry: Kind | None = None
    most: int | None = None
    expected: str = "an object"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise Invalid.wrong_type(path, self.expected, value)
        if self.most is not None and len(value) > self.most:
            raise Invalid.wrong_value(path, f"Expected at most {self.most} properties, but got {len(value)}.")
        for key, entry in value.items():
            if self.entry is not None:
                self.entry.check(entry, f"{path}.{key}")


@dataclass(frozen=True)
class Shape:
    """An object with these keys and no others; the `required` ones must be there."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    expected: str = "an object"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise Invalid.wrong_type(path, self.expected, value)
        for key in self.required:
            if key not in value:
                raise Invalid.missing(under(path, key))
        for key, entry in value.items():
            if key not in self.fields:
                raise Invalid.unknown(under(path, key))
            self.fields[key].check(entry, under(path, key))


@dataclass(frozen=True)
class Tagged:
    """An object whose key `tag` says which shape the rest has."""

    shapes: Mapping[str, Kind]
    tag: str = "type"
    expected: str = "an object"

    def check(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise Invalid.wrong_type(path, self.expected, value)
        if self.tag not in value:
            raise Invalid.missing(under(path, self.tag))
        Choice(tuple(self.shapes)).check(value[self.tag], under(path, self.tag))
        self.shapes[value[self.tag]].check(value, path)


@dataclass(frozen=True)
class Either:
    """One of several kinds that differ in their JSON type."""

    kinds: tuple[Kind, ...] = field()

    @property
    def expected(self) -> str:
        return "one of " + " or ".join(kind.expected for kind in self.kinds)

    def check(self, value: object, path: str) -> None:
        for kind in self.kinds:
            if kind.expected == named(value):
                kind.check(value, path)
                return
        raise Invalid.wrong_type(path, self.expected, value)


@dataclass(frozen=True)
class Nullable:
    """null, or another kind."""

    kind: Kind

    @property
    def expected(self) -> str:
        return self.kind.expected

    def check(self, value: object, path: str) -> None:
        if value is not None:
            self.kind.check(value, path)


def under(path: str, key: str) -> str:
    """The name of a key inside the object called `path`; the outermost object has no name."""
    return f"{path}.{key}" if path else key
