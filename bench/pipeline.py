"""Events per core-second through the whole pipeline, beside bare and other people's loops over the same frames.

Rounds of all take turns in one run. Only the CPU time of the process that reads counts; the sender is another one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from django.db.models import Sum
from websockets.asyncio.client import ClientConnection, connect

from bench import stage
from bench.cost import Cost, Stopwatch
from bench.player import ROUND_MAY_TAKE_S, Player, playing
from bench.problems import CannotMeasure
from bench.rival import Rival, rival
from bench.street import Street
from bench.table import Figure
from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.core import clock
from callops.core.config import config
from callops.core.database import in_db
from callops.core.notify import subscribe
from callops.engine.attachment import Attachment
from callops.engine.outside import reach
from callops.engine.sessions import served
from callops.engine.writer import Writer
from callops.sideband.models import AiSession, FrameBatch

SOCKETS, ROUNDS = 100, 4
PACE = 30
BARE = "bare websockets + msgspec"
GOALS = {BARE: 0.25, "openai": 2.0, "openai-agents": 1.5}
WHO = {BARE: BARE, "openai": "the openai SDK's typed loop", "openai-agents": "an openai-agents session"}
LOOK_EVERY_S = 0.05
OWNER = "bench"


class Incomplete(CannotMeasure):
    """Not every frame that was sent was stored, so the figure would mean nothing."""


class Rig:
    """Who listens to the player: this program, and a loop that reads, parses and forgets."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._outside = reach(replace(config(), openai_base_url=player.address))

    async def close(self) -> None:
        await self._outside.close()

    async def through_us(self, sockets: int, *, pace: float, answers: int = 0) -> Cost:
        """Receive, parse, fold, store durably, notify: from the first frame sent to the last one committed, or to the
        last of so many answers to tool calls on each socket.
        """
        ids = await in_db(stage.held)(sockets, owner=OWNER)
        writer = Writer(owner=OWNER, clock=clock.now)
        attachments = [
            Attachment(
                await in_db(served)(session_id), owner=OWNER, outside=self._outside, clock=clock.now, writer=writer
            )
            for session_id in ids
        ]
        frames = sockets * self._player.frames
        async with subscribe():
            running = [asyncio.create_task(one.run()) for one in attachments]
            await self._player.gathered(sockets)
            await _until(_opened, ids, sockets, "sidebands were noted as open")
            watch = Stopwatch()
            await self._player.play(pace)
            await _until(_stored, ids, frames, "frames were stored")
            await _until(_answered, ids, sockets * answers, "tool calls were answered")
            cost = watch.cost_of(frames)
            await self._player.end()
            await asyncio.gather(*running)
        await in_db(_check)(ids, self._player.frames)
        return cost

    async def bare(self, sockets: int, *, pace: float) -> Cost:
        """Receive and parse the same frames, as short as it can be written."""
        async with contextlib.AsyncExitStack() as held:
            urls = [self._player.fresh_url() for _ in range(sockets)]
            opened = [await held.enter_async_context(connect(url, compression=None)) for url in urls]
            await self._player.gathered(sockets)
            watch = Stopwatch()
            await self._player.play(pace)
            await asyncio.gather(*(self._read(socket) for socket in opened))
            cost = watch.cost_of(sockets * self._player.frames)
            await self._player.end()
        return cost

    async def _read(self, socket: ClientConnection) -> None:
        left = self._player.frames
        async for text in socket:
            msgspec.json.decode(text)
            left -= 1
            if left == 0:
                return


@contextlib.asynccontextmanager
async def rigged(player: Player) -> AsyncIterator[Rig]:
    """A rig, closed afterwards."""
    rig = Rig(player)
    try:
        yield rig
    finally:
        await rig.close()


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """The same call on many sockets at once, again and again, each time for new calls: flat out, then at a pace."""
    await in_db(stage.set_up)()
    async with (
        playing(contracts / "openai" / "sideband-call.jsonl") as player,
        rival("openai", player) as sdk,
        rival("openai-agents", player) as agents,
        rigged(player) as rig,
    ):
        costs = await _flat_out(rig, {"openai": sdk, "openai-agents": agents})
        paced = [await rig.through_us(SOCKETS, pace=PACE), await rig.bare(SOCKETS, pace=PACE)]
    return [*_beside(costs), _elapsed(costs), _paced(*paced)]


async def _flat_out(rig: Rig, rivals: dict[str, Rival]) -> dict[str, Cost]:
    """The cost of all rounds for each who reads, after one round that does not count."""
    costs: dict[str, Cost] = {}
    for number in range(ROUNDS + 1):
        now = {"ours": await rig.through_us(SOCKETS, pace=0), BARE: await rig.bare(SOCKETS, pace=0)}
        now |= {name: await one.round(SOCKETS, pace=0) for name, one in rivals.items()}
        if number:
            costs = {name: costs.get(name, Cost()) + cost for name, cost in now.items()}
    return costs


def _beside(costs: dict[str, Cost]) -> list[Figure]:
    ours = costs["ours"].per_core_s
    return [
        Figure(
            what="sideband events per core-second",
            value=f"{ours:,.0f}",
            ratio=ours / costs[name].per_core_s,
            beside=f"{WHO[name]}: {costs[name].per_core_s:,.0f}",
            goal=f"at least {goal:g} ×",
            reached="yes" if ours >= goal * costs[name].per_core_s else "no",
        )
        for name, goal in GOALS.items()
    ]


def _elapsed(costs: dict[str, Cost]) -> Figure:
    ours, bare = costs["ours"].per_s, costs[BARE].per_s
    return Figure("the same, per second elapsed", f"{ours:,.0f}", ours / bare, f"{BARE}: {bare:,.0f}")


def _paced(ours: Cost, bare: Cost) -> Figure:
    return Figure(
        what=f"per core-second, {PACE} frames/s a call",
        value=f"{ours.per_core_s:,.0f}",
        ratio=ours.per_core_s / bare.per_core_s,
        beside=f"{BARE}: {bare.per_core_s:,.0f}",
    )


async def _until(count: Callable[[list[int]], int], ids: list[int], wanted: int, what: str) -> None:
    """Returns once so many are committed. Raises `Incomplete`."""
    end = perf_counter() + ROUND_MAY_TAKE_S
    while (found := await in_db(count)(ids)) < wanted:
        if perf_counter() > end:
            raise Incomplete(
                f"Only {found} of {wanted} {what} within {ROUND_MAY_TAKE_S:g} s. Look at the log above, make sure that "
                "the disk of the temporary folder (TMPDIR) has room, and run it again."
            )
        await asyncio.sleep(LOOK_EVERY_S)


def _opened(ids: list[int]) -> int:
    return AiSession.objects.filter(pk__in=ids, opened_at__isnull=False).count()


def _stored(ids: list[int]) -> int:
    return int(AiSession.objects.filter(pk__in=ids).aggregate(sum=Sum("frames"))["sum"] or 0)


def _answered(ids: list[int]) -> int:
    return Event.objects.filter(call__sessions__in=ids, kind=Kind.US_TOOL_ANSWERED).count()


def _check(ids: list[int], each: int) -> None:
    """Every session has every frame, none of them garbage, in its batches too."""
    for session in AiSession.objects.filter(pk__in=ids):
        kept = FrameBatch.objects.filter(session=session).aggregate(sum=Sum("count"))["sum"]
        if not (session.frames == kept == each and session.garbage == 0 and session.call.turns.exists()):
            raise Incomplete(
                f"A session kept {kept} frames of {each}, {session.garbage} of them garbage. The pipeline loses "
                "frames: run `make test` and mend that first."
            )
