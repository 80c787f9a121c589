"""The overview strip of a timeline as SVG: a line for each lane, and parts that can be zoomed into. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from callops.reports.plain import xml
from callops.reports.rows import Row, seconds

WIDTH: Final = 1000
LINE: Final = 16
COLUMNS: Final = 200
PARTS: Final = 8
LEAST_S: Final = 0.5
"""A part is not opened any further below this many seconds."""

Address = Callable[[float, float], str]


def strip(
    rows: Sequence[Row],
    lanes: Sequence[str],
    *,
    began: datetime,
    start_s: float,
    end_s: float,
    href: Address,
    words: str = "Zoom to",
    here_s: float | None = None,
) -> str:
    """The strip from `start_s` until `end_s` after `began`; `href` gives the address of a part, `words` what it does.

    `here_s` is where one is.
    """
    height = LINE * max(1, len(lanes))
    size = f'viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none"'
    label = f"Overview: {len(rows)} rows on {len(lanes)} lanes"
    inside = [*_lines(lanes), *_marks(rows, lanes, began, start_s, end_s)]
    if here_s is not None:
        x = WIDTH * (here_s - start_s) / max(end_s - start_s, 0.001)
        inside.append(f'<line class="here" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>')
    inside += _parts(began, start_s, end_s, height, href, words)
    return f'<svg class="strip-lanes" {size} role="group" aria-label="{xml(label)}">{"".join(inside)}</svg>'


def _lines(lanes: Sequence[str]) -> Iterator[str]:
    for index in range(len(lanes)):
        y = LINE * index + LINE / 2
        yield f'<line class="base" x1="0" x2="{WIDTH}" y1="{y:g}" y2="{y:g}"/>'


def _marks(rows: Sequence[Row], lanes: Sequence[str], began: datetime, start_s: float, end_s: float) -> Iterator[str]:
    """One mark for each column of a lane in which something happened; trouble over it, absence hollow."""
    wide = WIDTH / COLUMNS
    dense: Counter[tuple[int, int, str]] = Counter()
    for row in rows:
        after_s = (row.at - began).total_seconds()
        if row.lane in lanes and start_s <= after_s <= end_s:
            dense[(lanes.index(row.lane), _column(after_s, start_s, end_s), _look(row))] += 1
    for (lane, column, look), many in sorted(dense.items(), key=lambda each: (each[0][2] != "fact", each[0])):
        tall = min(LINE - 2, 5 + 2 * many)
        y = LINE * lane + (LINE - tall) / 2
        yield f'<rect class="{look}" x="{column * wide:g}" y="{y:g}" width="{wide:g}" height="{tall}"/>'


def _look(row: Row) -> str:
    if row.expected is not None:
        return "absent"
    return "trouble" if row.trouble else "fact"


def _column(after_s: float, start_s: float, end_s: float) -> int:
    share = (after_s - start_s) / max(end_s - start_s, 0.001)
    return min(COLUMNS - 1, int(share * COLUMNS))


def _parts(began: datetime, start_s: float, end_s: float, height: int, href: Address, verb: str) -> Iterator[str]:
    """Links over the whole height, each to its part of the time."""
    each_s = (end_s - start_s) / PARTS
    if each_s < LEAST_S:
        return
    for index in range(PARTS):
        first, last = start_s + each_s * index, start_s + each_s * (index + 1)
        words = f"{seconds(began, first):%H:%M:%S} to {seconds(began, last):%H:%M:%S}"
        x, wide = WIDTH / PARTS * index, WIDTH / PARTS
        yield f'<a href="{xml(href(first, last))}" aria-label="{verb} {words}"><title>{verb} {words}</title>'
        yield f'<rect class="part" x="{x:g}" y="0" width="{wide:g}" height="{height}"/></a>'
