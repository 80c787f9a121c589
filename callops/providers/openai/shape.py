"""Small checks from which the shape of a session is put together; each raises `InvalidSession` at the first fault."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]


class InvalidSession(Exception):
    """One field of a session is wrong: `field` is its dotted name, `why` a sentence a supervisor can read."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field or 'session'}: {why}")
        self.field = field
        self.why = why


def anything(kind: type | tuple[type, ...], name: str) -> Check:
    """Any value of that type; a boolean is never a number."""

    def run(value: Any, field: str) -> None:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InvalidSession(field, f"must be {name}, not {_named(value)}")

    return run


flag = anything(bool, "true or false")
mapping = anything(Mapping, "an object")


def text(value: Any, field: str) -> None:
    """Text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidSession(field, f"must be text that is not blank, not {_named(value)}")


def choice(*allowed: Any) -> Check:
    """Exactly one of these values."""

    def run(value: Any, field: str) -> None:
        if isinstance(value, bool) or value not in allowed:
            names = ", ".join(str(one) for one in allowed)
            raise InvalidSession(field, f"must be one of {names}, not {_named(value)}")

    return run


def number(low: float, high: float) -> Check:
    """A number from low to high, both included."""
    return _between(anything((int, float), "a number"), low, high)


def whole(low: int, high: int) -> Check:
    """A whole number from low to high, both included."""
    return _between(anything(int, "a whole number"), low, high)


def at_most_null(check: Check) -> Check:
    """As `check`, or null."""

    def run(value: Any, field: str) -> None:
        if value is not None:
            check(value, field)

    return run


def either(simple: Check, other: Check) -> Check:
    """`other` for objects and numbers, `simple` for everything else."""

    def run(value: Any, field: str) -> None:
        structured = isinstance(value, (Mapping, int, float)) and not isinstance(value, bool)
        (other if structured else simple)(value, field)

    return run


def as_a_list(check: Check) -> Check:
    """A list whose entries all pass; an entry is named by its place, as in `tools.0.name`."""

    def run(value: Any, field: str) -> None:
        if not isinstance(value, (list, tuple)):
            raise InvalidSession(field, f"must be a list, not {_named(value)}")
        for place, entry in enumerate(value):
            check(entry, _dotted(field, str(place)))

    return run


def record(*, required: tuple[str, ...] = (), one_of: tuple[str, ...] = (), **fields: Check) -> Check:
    """An object with these keys only, all of `required` and, when given, exactly one of `one_of`."""

    def run(value: Any, field: str) -> None:
        mapping(value, field)
        for key in value:
            if key not in fields:
                raise InvalidSession(_dotted(field, str(key)), "is not a parameter of this API")
        for key in required:
            if key not in value:
                raise InvalidSession(_dotted(field, key), "is required")
        if one_of and sum(key in value for key in one_of) != 1:
            raise InvalidSession(_dotted(field, one_of[0]), f"exactly one of {', '.join(one_of)} is required")
        for key, entry in value.items():
            fields[key](entry, _dotted(field, key))

    return run


def tagged(**kinds: Check) -> Check:
    """An object whose `type` says which of the kinds it must be; the fields of two kinds never mix."""

    def run(value: Any, field: str) -> None:
        mapping(value, field)
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            why = "is required" if "type" not in value else f"must be one of {', '.join(kinds)}, not {_named(kind)}"
            raise InvalidSession(_dotted(field, "type"), why)
        kinds[kind](value, field)

    return run


def refused(why: str) -> Check:
    """Never allowed, for the given reason."""

    def run(value: Any, field: str) -> None:
        raise InvalidSession(field, why)

    return run


def _between(check: Check, low: float, high: float) -> Check:
    def run(value: Any, field: str) -> None:
        check(value, field)
        if not low <= value <= high:
            raise InvalidSession(field, f"must be {low} to {high}, not {value}")

    return run


def _dotted(field: str, key: str) -> str:
    return f"{field}.{key}" if field else key


def _named(value: Any) -> str:
    return "null" if value is None else f"{value!r:.60}"
