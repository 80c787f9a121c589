"""The ladder: who told whom what, drawn as SVG and written as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from callops.reports.plain import short, visible, xml
from callops.reports.steps import NAMES, PARTIES, Step, Style

LEFT: Final = 110
APART: Final = 150
TOP: Final = 44
STEP: Final = 34
LONGEST: Final = 64
WIDTH: Final = LEFT + APART * (len(PARTIES) - 1) + 90
_ARROWS: Final = {Style.SIP: "——▶", Style.HTTP: "- -▶", Style.WEBHOOK: "···▶", Style.ABSENT: "  ?▷"}
_MEANING: Final = "——▶ SIP   - -▶ HTTP   ···▶ webhook   ?▷ expected and not seen"

LOOKS: Final = """
.ladder{background:#fff;color:#1b1f24;font:12px system-ui,sans-serif}
.ladder text{fill:currentColor}
.ladder .at{font-family:ui-monospace,monospace;font-size:11px;fill:#57606a}
.ladder .life{stroke:#d0d7de}
.ladder .step line{stroke:currentColor;stroke-width:1.6}
.ladder .http line{stroke-dasharray:6 4}
.ladder .webhook line{stroke-dasharray:1.5 4;stroke-linecap:round}
.ladder .absent line{stroke:#9a6700;stroke-dasharray:2 3}
.ladder .absent text{fill:#9a6700}
.ladder .head{fill:currentColor}
.ladder .absent .head{fill:none;stroke:#9a6700}
"""
"""How a downloaded file looks; the page has these rules in its style sheet, for both themes."""


def svg(steps: Sequence[Step], *, title: str, alone: bool = False, link: str = "#fact-") -> str:
    """The drawing. `alone`: a file of its own, with its looks in it and without links into a page."""
    height = TOP + STEP * len(steps) + 24
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    inside = [f"<title>{xml(title)}</title>", f"<style>{LOOKS}</style>" if alone else "", _lives(height)]
    inside += [_step(step, TOP + STEP * row, link="" if alone else link) for row, step in enumerate(steps, start=1)]
    names = 'xmlns="http://www.w3.org/2000/svg" class="ladder" role="group"'
    return f"<svg {names} {size}>{''.join(inside)}</svg>"


def text(steps: Sequence[Step], *, title: str) -> str:
    """The same in lines, for reading aloud and for pasting."""
    if not steps:
        return f"{title}\n\nNothing is known of this call yet.\n"
    wide = max(len(NAMES[party]) for party in PARTIES)
    lines = [title, _MEANING, f"{steps[0].at:%Y-%m-%d} UTC", ""]
    for step in steps:
        source, target = NAMES[step.source].rjust(wide), NAMES[step.target].ljust(wide)
        lines.append(f"{_clock(step.at)}  {source} {_ARROWS[step.style]} {target}  {visible(step.words)}")
    return "\n".join(lines) + "\n"


def _lives(height: int) -> str:
    drawn = []
    for party in PARTIES:
        x = _x(party)
        drawn.append(f'<text x="{x}" y="20" text-anchor="middle" font-weight="600">{NAMES[party]}</text>')
        drawn.append(f'<line class="life" x1="{x}" x2="{x}" y1="30" y2="{height - 12}"/>')
    return "".join(drawn)


def _step(step: Step, y: int, *, link: str) -> str:
    start, end = _x(step.source), _x(step.target)
    toward = 1 if end >= start else -1
    tip = f"{end},{y} {end - 8 * toward},{y - 4} {end - 8 * toward},{y + 4}"
    words = visible(step.words)
    shown = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    anchor, x = _where(start, end)
    drawn = (
        f"<title>{xml(f'{_clock(step.at)} {NAMES[step.source]} to {NAMES[step.target]}: {short(words, 300)}')}</title>"
        f'<rect class="hit" x="0" y="{y - STEP + 12}" width="{WIDTH}" height="{STEP}" fill="transparent"/>'
        f'<text class="at" x="4" y="{y + 4}">{_clock(step.at)}</text>'
        f'<line x1="{start}" x2="{end - 7 * toward}" y1="{y}" y2="{y}"/><polygon class="head" points="{tip}"/>'
        f'<text x="{x}" y="{y - 6}" text-anchor="{anchor}">{xml(shown)}</text>'
    )
    group = f'<g class="step {step.style}">{drawn}</g>'
    return f'<a href="{xml(link)}{step.seq}">{group}</a>' if link and step.seq else group


def _where(start: int, end: int) -> tuple[str, int]:
    """Where the words stand: over the arrow, and never out of the drawing."""
    middle = (start + end) // 2
    if middle > WIDTH - 220:
        return "end", WIDTH - 8
    return ("start", LEFT + 6) if middle < LEFT + 100 else ("middle", middle)


def _x(party: str) -> int:
    return LEFT + APART * PARTIES.index(party)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}.{at.microsecond // 1000:03d}"
