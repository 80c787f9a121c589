"""Every pair of colours the style sheets use can be told apart, in both themes; motion is for who wants it."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "callops"
TOKENS = dict(re.findall(r"--([\w-]+): (light-dark\([^)]*\)|#\w+);", (CSS / "tokens.css").read_text()))
SHEETS = re.sub(r"/\*.*?\*/", "", "".join(path.read_text() for path in sorted(CSS.glob("*.css"))))
THEMES = ("light", "dark")
TEXT, GRAPHIC = 4.5, 3.0

TONES = {"waiting", "talking", "look", "failed", "proven"}
"""What a chip may be, by `--tone`."""
WORDS = {"ink", "ink-soft", "accent", "look", "failed", "proven", "talking", "tone"}
"""What is written in."""
GROUNDS = {"paper", "panel", "hover"}
"""What everything may be written on."""
WASHES = {
    "look-wash": {"ink", "ink-soft", "accent", *TONES},
    "failed-wash": {"ink", "ink-soft", "accent", "failed"},
    "proven-wash": {"ink", "ink-soft", "accent", "proven"},
    "accent-fill": {"on-accent"},
}
"""What is written on what marks something: a row of the board that needs somebody holds whatever a row does."""
SHAPES = {"edge", "accent", "waiting", "talking", "look", "failed", "proven", "ink-soft", "accent-fill"}
"""Borders of what one types into, the ring of the focus, shapes, lamps and bars."""


def colour(token: str, theme: str) -> str:
    value = TOKENS[token]
    return re.findall(r"#\w+", value)[-1 if theme == "dark" else 0]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pairs() -> set[tuple[str, str, float]]:
    written = {(word, ground, TEXT) for word, ground in product((WORDS - {"tone"}) | TONES, GROUNDS)}
    washed = {(word, wash, TEXT) for wash, words in WASHES.items() for word in words}
    return written | washed | {(shape, ground, GRAPHIC) for shape, ground in product(SHAPES, ("paper", "panel"))}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "ground", "least"), sorted(pairs()))
def test_a_pair_can_be_told_apart(front: str, ground: str, least: float, theme: str) -> None:
    assert ratio(colour(front, theme), colour(ground, theme)) >= least


def test_no_sheet_writes_in_or_on_a_colour_that_is_not_looked_at() -> None:
    written = set(re.findall(r"[\s{;]color: var\(--([\w-]+)\)", SHEETS))
    filled = set(re.findall(r"[\s{;]fill: var\(--([\w-]+)\)", SHEETS))
    grounds = set(re.findall(r"background(?:-color)?: var\(--([\w-]+)\)", SHEETS))

    drawn = SHAPES | {"tone", "line", "line-strong"}  # lines that only part rows tell nothing
    assert written <= WORDS | {"on-accent"}
    assert filled <= drawn | WORDS | GROUNDS
    assert grounds - GROUNDS - set(WASHES) <= drawn


def test_colours_stand_in_the_tokens_alone() -> None:
    sheets = "".join(path.read_text() for path in CSS.glob("*.css") if path.name != "tokens.css")

    assert re.findall(r"[\s{;](?:color|background|border-color|fill|stroke): #\w+", sheets) == []


def test_who_wants_no_motion_sees_none() -> None:
    rule = re.search(r"@media \(prefers-reduced-motion: reduce\) \{ ([^}]*)\}", SHEETS)

    assert rule is not None
    assert "animation: none !important" in rule[1] and "transition: none !important" in rule[1]


def test_black_on_white_is_as_far_apart_as_it_gets() -> None:
    assert round(ratio("#000000", "#ffffff"), 2) == 21
    assert round(ratio("#777777", "#ffffff"), 2) == 4.48
