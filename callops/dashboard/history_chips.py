"""What a search asks for, piece by piece, each with the address without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from callops.core.text import storable
from callops.dashboard.forms import HistoryForm
from callops.dashboard.history import Search, address
from callops.finding.language import Problem
from callops.finding.telling import sentence

FILTERS: Final = {
    "state": "state",
    "line": "line",
    "mechanism": "moved by",
    "stage": "failed because",
    "fate": "the caller was",
    "since": "began since",
    "until": "began before",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition as people say it; `why_not`: it was left out, for this reason."""

    text: str
    without: str
    why_not: str = ""


def chips(search: Search) -> list[Chip]:
    """Every condition of the search: the filters, then what was typed."""
    return [*_filters(search.wanted), *_typed(search)]


def _filters(wanted: dict[str, Any]) -> Iterator[Chip]:
    for name, says in FILTERS.items():
        if name in wanted:
            rest = {key: value for key, value in wanted.items() if key != name}
            yield Chip(f"{says} {_shown(name, wanted[name])}", address(rest))


def _typed(search: Search) -> Iterator[Chip]:
    for term in search.query.parts:
        rest = {name: value for name, value in search.wanted.items() if name != "q"}
        if left := search.query.without(term):
            rest["q"] = left
        if isinstance(term, Problem):
            yield Chip(storable(term.text), address(rest), term.why)
        else:
            yield Chip(sentence(term), address(rest))


def _shown(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    choices = dict(getattr(HistoryForm.base_fields[name], "choices", ())) if name != "line" else {}
    return str(choices.get(value, value))
