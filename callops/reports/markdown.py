"""The few pieces of Markdown the reports are made of; nothing a provider or a caller said can end one of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from callops.reports.plain import short, visible

SPECIAL = "\\`*_{}[]<>#|!~"


def words(value: Any) -> str:
    """A text on one line, with what Markdown would read as its own escaped."""
    return "".join(f"\\{each}" if each in SPECIAL else each for each in short(visible(str(value))))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; cells are Markdown already."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """A list of names and values."""
    return [f"- {name}: {value}" for name, value in pairs]


def document(*parts: Sequence[str] | str) -> str:
    """The parts with an empty line between them, and one line end at the end."""
    blocks = ["\n".join([part] if isinstance(part, str) else part) for part in parts if part]
    return "\n\n".join(blocks) + "\n"
