"""How what somebody is typing into the search box may go on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from callops.finding.fields import FIELDS, Takes

MOST: Final = 30
_EXAMPLES: Final = {"wait": (">10s", ">1m"), "lasted": (">5m", "<30s")}
_MOMENTS: Final = ("1h", "24h", "7d", "today", "yesterday")


def completions(text: str, *, known: Mapping[str, Sequence[str]]) -> list[str]:
    """The whole text, each time with its last term gone on with; `known` has the words of fields that take any text."""
    if text.count('"') % 2:
        return []
    before, _, last = text.rpartition(" ")
    minus = "-" if last.startswith("-") else ""
    name, colon, begun = last.removeprefix("-").lower().partition(":")
    if colon:
        endings = [
            f"{name}:{word}" for word in _words(name, known) if word.strip('"').lower().startswith(begun.strip('"'))
        ]
    else:
        endings = [start for each in FIELDS if each.startswith(name) for start in _starts(each)]
    lead = f"{before} {minus}" if before else minus
    return [f"{lead}{ending}" for ending in endings if ending != last][:MOST]


def _starts(name: str) -> list[str]:
    return [f"{name}{example}" for example in _EXAMPLES.get(name, (":",))]


def _words(name: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    field = FIELDS.get(name)
    if field is None:
        return []
    if field.takes is Takes.MOMENT:
        return list(_MOMENTS)
    return list(field.words) or [f'"{word}"' if " " in word else word for word in known.get(name, ())]
