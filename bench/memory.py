"""What a process weighs, and what an attached call on which nobody speaks adds to it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from bench import stage
from bench.child import Child, child
from bench.loaded import serving, until_open
from bench.street import Street
from bench.table import Figure
from callops.core.database import in_db

CALLS = 500
SETTLED_S = 3.0
BASE_GOAL_MB, CALL_GOAL_KB = 150.0, 100.0


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """`serve` with an engine and no call, then with many attached ones: the memory it holds (RSS), as Linux says."""
    await in_db(stage.set_up)()
    async with child("-m", "bench.crowd") as crowd:
        env = {"CALLOPS_BENCH_STREET": f"http://127.0.0.1:{await crowd.hear()}"}
        async with serving(env) as ([server], _):
            await until_open(list(await in_db(stage.accepted)(1)))
            await asyncio.sleep(SETTLED_S)
            base = _held(server)
            await until_open(list(await in_db(stage.accepted)(CALLS)))
            await asyncio.sleep(SETTLED_S)
            each = (_held(server) - base) / CALLS
    return [_figure("memory of the process, MB", base / 1e6, BASE_GOAL_MB), _figure(*_call(each))]


def _call(each: float) -> tuple[str, float, float]:
    return f"memory per attached idle call of {CALLS}, kB", each / 1e3, CALL_GOAL_KB


def _figure(what: str, value: float, goal: float) -> Figure:
    return Figure(what, f"{value:,.1f}", None, "-", f"at most {goal:g}", "yes" if value <= goal else "no")


def _held(server: Child) -> int:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
