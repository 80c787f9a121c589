"""Deliveries to browsers per core-second, many sockets on one call, beside the usual way and a bare broadcast."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench import stage
from bench.cost import Cost
from bench.problems import CannotMeasure
from bench.street import Street
from bench.table import Figure
from callops.core.database import in_db

SOCKETS = 100
TIMES = {"hub": 200, "change": 100, "group": 50, "bare": 200}
ROUNDS = 3
GOALS = {"group": 20.0, "bare": 0.5}
WHO = {"group": "a group_send to each consumer", "bare": "a bare websockets broadcast"}


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """The same text to the same number of sockets, rounds of all ways by turns; only the server's CPU counts."""
    await in_db(stage.set_up)()
    call = await in_db(stage.spoken)()
    async with _server() as (server, daphne, bare):
        paths = [f"{daphne}/ws/calls/{call.pk}/?seq=0&rev=1", f"{daphne}/ws/group", bare]
        async with _drained(paths):
            costs = {way: Cost() for way in TIMES}
            for _ in range(ROUNDS):
                for way, times in TIMES.items():
                    costs[way] += await _ask(server, way, call.pk, times)
    return [*(_beside(costs, way) for way in GOALS), _whole_way(costs)]


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[tuple[Process, str, str]]:
    """The server's process and the addresses of its two doors; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.delivering", stdin=PIPE, stdout=PIPE)
    try:
        first, second = await _line(process), await _line(process)
        yield process, f"ws://127.0.0.1:{first}", f"ws://127.0.0.1:{second}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def _drained(paths: list[str]) -> AsyncIterator[None]:
    """So many sockets at each address, whatever comes is read."""
    async with contextlib.AsyncExitStack() as held:
        readers = []
        for path in paths:
            for _ in range(SOCKETS):
                socket = await held.enter_async_context(connect(path, compression=None, ping_interval=None))
                readers.append(asyncio.create_task(_drain(socket)))
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()


async def _drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def _ask(server: Process, way: str, call_id: str, times: int) -> Cost:
    """Deliveries instead of frames: one for each socket and time."""
    assert server.stdin is not None
    server.stdin.write(f"{way} {call_id} {SOCKETS} {times}\n".encode())
    cost = Cost(**json.loads(await _line(server)))
    return Cost(cost.frames * SOCKETS, cost.cpu_s, cost.wall_s)


async def _line(server: Process) -> str:
    assert server.stdout is not None
    line = await asyncio.wait_for(server.stdout.readline(), 60)
    if not line:
        raise CannotMeasure("The server of the deliveries ended: its error is above this line.")
    return line.decode().strip()


def _beside(costs: dict[str, Cost], way: str) -> Figure:
    ours, other, goal = costs["hub"].per_core_s, costs[way].per_core_s, GOALS[way]
    return Figure(
        what=f"deliveries per core-second, {SOCKETS} sockets",
        value=f"{ours:,.0f}",
        ratio=ours / other,
        beside=f"{WHO[way]}: {other:,.0f}",
        goal=f"at least {goal:g} ×",
        reached="yes" if ours >= goal * other else "no",
    )


def _whole_way(costs: dict[str, Cost]) -> Figure:
    ours, bare = costs["change"].per_core_s, costs["bare"].per_core_s
    what = "the same, with storing, reading and rendering"
    return Figure(what, f"{ours:,.0f}", ours / bare, f"{WHO['bare']}: {bare:,.0f}")
