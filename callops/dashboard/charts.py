"""Charts as SVG, drawn here: bars side by side over time, shares with their interval, spreads of durations, courses.

Colour is never alone: what became of a way also has a pattern, every bar says its counts, and a table says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from callops.transfers.figures import FATES, Spread, Tally
from callops.transfers.health import Interval

BAR, HEIGHT, FOOT = 24, 140, 18
WIDTH = 120
FATE_WORDS: Final = {
    "proven": "proven in time",
    "late": "late",
    "unproven": "never seen",
    "refused": "refused",
    "waiting": "not known yet",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """What became of one way in one step, with the address of just those transfers."""

    tally: Tally
    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Step:
    """Two bars over one label; `name` is its beginning, in full."""

    name: str
    refer: Bar
    redirect: Bar
    label: str


def over_time(steps: Sequence[Step]) -> SafeString:
    """REFER and redirect side by side in each step, each bar a link to its transfers."""
    most = max((bar.tally.asked for step in steps for bar in (step.refer, step.redirect)), default=0)
    wide = 2 * BAR + 6
    drawn = format_html_join(
        "",
        '<g>{}{}<text class="tick" x="{}" y="{}">{}</text></g>',
        (
            (
                _bar(step.refer, place * wide, most, "R"),
                _bar(step.redirect, place * wide + BAR, most, "T"),
                place * wide + BAR,
                HEIGHT + FOOT + 12,
                step.label,
            )
            for place, step in enumerate(steps)
        ),
    )
    width = len(steps) * wide
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">{}</svg>',
        width, HEIGHT + FOOT + 18, width, HEIGHT + FOOT + 18,
        f"REFER (R) and Twilio redirect (T) over time; the highest bar is {most}", drawn,
    )  # fmt: skip


def _bar(bar: Bar, x: int, most: int, letter: str) -> SafeString:
    if not bar.tally.asked:
        return format_html('<path class="none" d="M{} {}h{}"/>', x + 3, HEIGHT, BAR - 4)
    segments, y = [], float(HEIGHT)
    for fate in FATES:
        if count := bar.tally.counts.get(fate, 0):
            high = max(3.0, HEIGHT * 0.9 * count / most)
            y -= high
            segments.append((fate, x + 3, f"{y:.1f}", BAR - 4, f"{high:.1f}", f"{FATE_WORDS[fate]}: {count}"))
    drawn = format_html_join(
        "", '<rect class="fate-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>', segments
    )
    return format_html(
        '<a href="{}" aria-label="{}"><rect class="hit" x="{}" y="0" width="{}" height="{}"/>{}'
        '<text class="tick" x="{}" y="{}">{}</text></a>',
        bar.address, bar.words, x, BAR, HEIGHT + FOOT - 4, drawn, x + BAR / 2, HEIGHT + 13, letter,
    )  # fmt: skip


def share(of: Tally) -> SafeString:
    """A share between 0 and 100 % as a dot, with its interval as a line."""
    if of.share is None:
        return format_html('<span class="note">{}</span>', "not known yet" if of.asked else "–")
    low, high = _across(of.interval)
    return format_html(
        '<svg class="spark" viewBox="0 0 {} 16" width="{}" height="16" role="img" aria-label="{}"><path class="scale" '
        'd="M0 8H{}"/><path class="reach" d="M{} 8H{}M{} 4v8M{} 4v8"/>'
        '<circle class="at" cx="{}" cy="8" r="3.5"/></svg>',
        WIDTH, WIDTH, f"{100 * of.share:.0f} %, between {100 * of.interval.low:.0f} and {100 * of.interval.high:.0f} %",
        WIDTH, low, high, low, high, f"{4 + of.share * (WIDTH - 8):.1f}",
    )  # fmt: skip


def spread(of: Spread | None, longest_ms: int) -> SafeString:
    """Half of the durations end at the dot, 95 in 100 at the end of the line; all on one scale."""
    if of is None:
        return format_html('<span class="note">{}</span>', "–")
    at, end = (f"{4 + (WIDTH - 8) * min(1.0, ms / max(1, longest_ms)):.1f}" for ms in (of.p50, of.p95))
    return format_html(
        '<svg class="spark" viewBox="0 0 {} 16" width="{}" height="16" role="img" aria-label="{}"><path class="scale" '
        'd="M0 8H{}"/><path class="reach" d="M{} 8H{}M{} 4v8"/><circle class="at" cx="{}" cy="8" r="3.5"/></svg>',
        WIDTH, WIDTH, f"half within {of.p50 / 1000:.1f} s, 95 in 100 within {of.p95 / 1000:.1f} s",
        WIDTH, at, end, end, at,
    )  # fmt: skip


def course(parts: Sequence[tuple[str, str]], words: str) -> SafeString:
    """How something stood, from left to right: each part a word for its look, and what it says."""
    wide = 600 / max(1, len(parts))
    drawn = format_html_join(
        "",
        '<rect class="{}" x="{}" y="2" width="{}" height="14"><title>{}</title></rect>',
        ((look, f"{place * wide:.2f}", f"{wide + 0.3:.2f}", said) for place, (look, said) in enumerate(parts)),
    )
    return format_html(
        '<svg class="course" viewBox="0 0 600 18" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        words, drawn,
    )  # fmt: skip


def _across(interval: Interval) -> tuple[str, str]:
    return f"{4 + interval.low * (WIDTH - 8):.1f}", f"{4 + interval.high * (WIDTH - 8):.1f}"
