"""What other people's receive loops take for the same frames; `bench.rivals` runs in their own environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from bench.cost import Cost
from bench.player import ROUND_MAY_TAKE_S, Player
from bench.problems import CannotMeasure

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
SCRIPT = ROOT / "bench" / "rivals.py"


class Rival:
    """One of them, ready for rounds."""

    def __init__(self, process: Process, player: Player) -> None:
        self._process = process
        self._player = player

    async def round(self, sockets: int, *, pace: float) -> Cost:
        """The cost of one round."""
        await self._say(str(sockets))
        await self._hear()
        await self._player.gathered(sockets)
        await self._say("go")
        await self._hear()
        await self._player.play(pace)
        cost = Cost(**json.loads(await self._hear()))
        await self._player.end()
        await self._say("over")
        return cost

    async def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())
        await self._process.stdin.drain()

    async def _hear(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), ROUND_MAY_TAKE_S)
        if not line:
            raise CannotMeasure("Another receive loop broke down: run `make bench` once to install what it needs.")
        return line.decode()


@contextlib.asynccontextmanager
async def rival(name: str, player: Player) -> AsyncIterator[Rival]:
    """The rival of this name in a process of its own, which is gone afterwards."""
    if not PYTHON.exists():
        raise CannotMeasure(f"{PYTHON.parent.parent.name} is missing: `make bench` makes it.")
    words = [str(PYTHON), str(SCRIPT), name, player.address, str(player.frames)]
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        yield Rival(process, player)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
