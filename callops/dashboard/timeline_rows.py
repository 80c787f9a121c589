"""The rows of a timeline, as HTML. By hand and not by a template: a call may have thousands.

Whatever is not ours is escaped here, as templates do it by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from callops.calls.kinds import Kind
from callops.dashboard import wording
from callops.dashboard.moments import local
from callops.dashboard.sayings import said
from callops.reports.rows import FRAME, Row

GAP_S = 1.0
"""From so long a silence on it is said."""
_name = lru_cache(maxsize=256)(escape)
"""Of lanes and kinds there are few."""


def timeline_rows(rows: Sequence[Row], call_id: str) -> SafeString:
    """These rows of this call, those that are folded inside the first of their run."""
    facts = escape(reverse("dashboard:fact", args=[call_id, 0]).removesuffix("0"))
    return mark_safe("\n".join(_drawn(row, facts) for row in rows))  # noqa: S308 - escaped below


def _drawn(row: Row, facts: str, *, is_inside: bool = False) -> str:
    gap = ""
    if row.gap_s >= GAP_S:
        gap = f'<span class="tl-gap" title="Time since the row before">+{row.gap_s:.1f} s</span>'
    what = escape(_words(row)) if is_inside or not row.folded else _run(row, facts)
    return f"""<li{_look(row)}>
<span class="tl-at">{local(row.at, "exact")}{gap}</span>
<span class="tl-lane">{_name(row.lane_name)}</span>
<div class="tl-what">{_shape(row)}{what}{_because(row)}</div>
{_raw(row, facts)}
</li>"""


def _run(row: Row, facts: str) -> str:
    """The first of a run, and the others inside it."""
    others = row.folded[1:]
    more = f'<span class="note">and {len(others)} more of its kind in {row.lasted_s:.1f} s</span>'
    inside = "\n".join(_drawn(each, facts, is_inside=True) for each in others)
    return f"<details><summary>{escape(_words(row))} {more}</summary><ol>{inside}</ol></details>"


def _look(row: Row) -> str:
    if row.expected:
        return ' class="tl-row tl-absent"'
    lane = _name(row.lane)
    if not row.seq:
        return f' class="tl-row tl-frame lane-{lane}"'
    return f' id="event-{row.seq}" class="tl-row lane-{lane}{" tl-trouble" if row.trouble else ""}"'


def _shape(row: Row) -> str:
    if not (row.expected or row.trouble):
        return ""
    return f'<span class="shape {"dashed" if row.expected else "triangle"}" aria-hidden="true"></span>'


def _because(row: Row) -> str:
    return f' <a class="note" href="#event-{row.seq}">expected because of this</a>' if row.expected else ""


def _raw(row: Row, facts: str) -> str:
    """The way to the fact as it was received or done, and the place where it is shown."""
    if not row.seq or row.expected:
        return ""
    kind = _name(row.kind)
    label = f"What exactly was received or sent: {kind}, row {row.seq}"
    address, place = f"{facts}{row.seq}", f"raw-{row.seq}"
    link = f'<a class="tl-raw" href="{address}" hx-get="{address}" hx-target="#{place}" aria-label="{label}">{kind}</a>'
    return f'{link}<div id="{place}" class="tl-body"></div>'


def _words(row: Row) -> str:
    """What happened; of a turn what was said, too."""
    if row.expected:
        return row.expected.sentence
    if row.kind.startswith(FRAME):
        return _frame_words(row)
    words = wording.sentence(row.kind, row.body)
    spoken = said(row.body.get("text")) if row.kind == Kind.OPENAI_TURN else ""
    return f"{words} “{spoken}”" if spoken else words


def _frame_words(row: Row) -> str:
    """Which events came, how many, and in what time."""
    name, many = row.kind.removeprefix(FRAME), row.body["count"]
    return name if many == 1 else f"{name} × {many} in {row.body['lasted_s']:.1f} s"
