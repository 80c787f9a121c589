"""Where in a TOML file a table or key stands: the standard parser gives the values, but not their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # multi-line basic string
    r"|'''.*?'{3,5}"  # multi-line literal string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|\n|[\[\]{}]"
    r"|[^\"'#\n\[\]{}]+"
    r"|.",
    re.DOTALL,
)
_NAME = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[^\s.=\]"']+)\s*""")


@dataclass(slots=True)
class Places:
    """Line numbers (from 1) of the tables of each array and of their keys."""

    roots: dict[str, int] = field(default_factory=dict)
    tables: dict[tuple[str, int], int] = field(default_factory=dict)
    keys: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def line(self, array: str, index: int | None = None, key: str | None = None) -> int:
        """The nearest line known: of the key, else of its table, else of the array, else the first."""
        root = self.roots.get(array, 1)
        if index is None:
            return root
        table = self.tables.get((array, index), root)
        return table if key is None else self.keys.get((array, index, key), table)


def find_places(source: str) -> Places:
    """Where the tables and keys of `source` stand, which must be valid TOML."""
    places = Places()
    array, index = "", -1
    for line, statement in _statements(source):
        header = statement.startswith("[")
        path = _path(statement.lstrip("[") if header else statement)
        if not path:
            continue
        places.roots.setdefault(path[0] if header or not array else array, line)
        if header and len(path) == 1:
            array = path[0]
            index = sum(1 for known, _ in places.tables if known == array)
            places.tables[array, index] = line
        elif header:
            places.keys.setdefault((path[0], _last_index(places, path[0]), path[1]), line)
        elif array:
            places.keys.setdefault((array, index, path[0]), line)
    return places


def _last_index(places: Places, array: str) -> int:
    return max((index for known, index in places.tables if known == array), default=0)


def _statements(source: str) -> Iterator[tuple[int, str]]:
    """Each statement with the line it begins on; strings, comments and values that span lines are stepped over."""
    line, begun, depth, text = 1, 1, 0, ""
    for piece in _TOKEN.findall(source.replace("\r\n", "\n")):
        if piece == "\n" and depth == 0:
            if text.strip():
                yield begun, text.strip()
            text = ""
        elif not piece.startswith("#"):
            if not text.strip():
                begun = line
            depth += (piece in "[{") - (piece in "]}")
            text += piece
        line += piece.count("\n")
    if text.strip():
        yield begun, text.strip()


def _path(text: str) -> list[str]:
    """The dotted name a statement begins with, without quotes."""
    names: list[str] = []
    position = 0
    while found := _NAME.match(text, position):
        names.append(found[1].strip("\"'"))
        position = found.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    return names
