"""The SIP headers of an incoming call as OpenAI passes them on: caller-controlled text, never an authority."""

from collections.abc import Iterable
from dataclasses import dataclass

from callops.providers.numbers import number_in

__all__ = ["SipHeader", "first", "number_in"]

# RFC 3261 7.3.3; whether OpenAI expands compact names is unknown (contract OpenAI 2).
_COMPACT = {
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "v": "via",
    "c": "content-type",
    "l": "content-length",
    "s": "subject",
    "k": "supported",
    "r": "refer-to",
    "b": "referred-by",
}


@dataclass(frozen=True, slots=True)
class SipHeader:
    """One header line, name and value as they were received."""

    name: str
    value: str


def first(headers: Iterable[SipHeader], name: str) -> str | None:
    """The value of the first header of that name, in any case and in its compact form; None when there is none."""
    wanted = _canonical(name)
    return next((header.value for header in headers if _canonical(header.name) == wanted), None)


def _canonical(name: str) -> str:
    lower = name.strip().lower()
    return _COMPACT.get(lower, lower)
