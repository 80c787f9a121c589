"""Figures and the table they are printed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

HEADINGS = ("figure", "value", "ratio", "beside", "goal", "reached")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and its ratio to something bare in the same run."""

    what: str
    value: str
    ratio: float | None
    """None: there is nothing bare that could stand beside it."""
    beside: str
    goal: str = "none"
    reached: str = "-"

    def cells(self) -> tuple[str, ...]:
        """The figure as one row of the table."""
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f} ×"
        return (self.what, self.value, ratio, self.beside, self.goal, self.reached)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed (nearest rank); `share` is 0 to 1."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def latency(
    what: str, ours_s: Sequence[float], bare_s: Sequence[float], beside: str, *, goal_ms: float | None = None
) -> list[Figure]:
    """p50 and p95 beside the bare thing's; with a goal p99 too, which is what goals are about.

    The goals hold under a load that is not made here, so the most that can be said is that one is met without it.
    """
    return [
        _latency_at(share, what, ours_s, bare_s, beside, goal_ms if share == 0.99 else None)
        for share in ((0.5, 0.95) if goal_ms is None else (0.5, 0.95, 0.99))
    ]


def printed(figures: Sequence[Figure]) -> str:
    """The table as text, columns aligned."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_aligned(row, widths) for row in rows)


def _latency_at(
    share: float, what: str, ours_s: Sequence[float], bare_s: Sequence[float], beside: str, goal_ms: float | None
) -> Figure:
    name, value, bare = f"p{share * 100:.0f}", percentile(ours_s, share), percentile(bare_s, share)
    figure = Figure(
        what=f"{what}, {name}",
        value=f"{value * 1000:.1f} ms",
        ratio=value / bare,
        beside=f"{beside}, {name}: {bare * 1000:.1f} ms",
    )
    if goal_ms is None:
        return figure
    reached = "without load" if value * 1000 < goal_ms else "no"
    return replace(figure, goal=f"below {goal_ms:g} ms under load", reached=reached)


def _aligned(row: tuple[str, ...], widths: Sequence[int]) -> str:
    """Numbers to the right, words to the left."""
    cells = [
        cell.rjust(width) if heading in ("value", "ratio") else cell.ljust(width)
        for cell, width, heading in zip(row, widths, HEADINGS, strict=True)
    ]
    return "  ".join(cells).rstrip()
