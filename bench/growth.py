"""Events per core-second with 10, 100 and 500 calls at once: what an event costs must not depend on their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import stage
from bench.cost import Cost
from bench.pipeline import BARE, Rig, rigged
from bench.player import playing
from bench.street import Street
from bench.table import Figure
from callops.core.database import in_db

ROUNDS = {10: 20, 100: 3, 500: 1}
"""How many rounds for so many calls: about as many events each, but for the last."""
TOOL_CALLS = 2
"""How many the recording has. They are counted to their answers: with few calls at once they come before the last frame
is stored, with many after it, and the same work has to be in every figure.
"""
SPREAD = 0.20


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """Flat out through the whole pipeline, and through a bare loop."""
    await in_db(stage.set_up)()
    ours, bare = {}, {}
    async with playing(contracts / "openai" / "sideband-call.jsonl") as player, rigged(player) as rig:
        await rig.through_us(10, pace=0)
        for calls, rounds in ROUNDS.items():
            ours[calls], bare[calls] = await _rounds(rig, calls, rounds)
    return [_figure(calls, ours, bare) for calls in ROUNDS]


async def _rounds(rig: Rig, calls: int, rounds: int) -> tuple[Cost, Cost]:
    ours, bare = Cost(), Cost()
    for _ in range(rounds):
        ours, bare = (
            ours + await rig.through_us(calls, pace=0, answers=TOOL_CALLS),
            bare + await rig.bare(calls, pace=0),
        )
    return ours, bare


def _figure(calls: int, ours: dict[int, Cost], bare: dict[int, Cost]) -> Figure:
    """The goal is about all of them: the least beside the most."""
    each = [cost.per_core_s for cost in ours.values()]
    return Figure(
        what=f"events per core-second, {calls} calls",
        value=f"{ours[calls].per_core_s:,.0f}",
        ratio=ours[calls].per_core_s / bare[calls].per_core_s,
        beside=f"{BARE}: {bare[calls].per_core_s:,.0f}",
        goal=f"all within {SPREAD:.0%}",
        reached="yes" if min(each) >= (1 - SPREAD) * max(each) else "no",
    )
