"""The playing server (`bench.playback`) as the measuring process steers it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench import stage
from bench.problems import CannotMeasure

ROUND_MAY_TAKE_S = 120.0


class Player:
    """Plays one recording to many sockets at once, round after round."""

    def __init__(self, address: str, steering: ClientConnection, frames: int) -> None:
        self.address = address
        self.frames = frames
        """How many frames each socket gets."""
        self._steering = steering

    async def gathered(self, sockets: int) -> None:
        """So many sockets are open."""
        await self._ask(str(sockets))

    async def play(self, pace: float) -> None:
        """The recording goes out on every socket, `pace` frames a second on each; 0: flat out."""
        await self._steering.send(str(pace))

    async def end(self) -> None:
        """The sockets are closed, and a new round may begin."""
        await self._ask("end")

    def fresh_url(self) -> str:
        """The address of a sideband nobody had before."""
        return f"ws{self.address.removeprefix('http')}/realtime?call_id={stage.fresh_ai_call_id()}"

    async def _ask(self, word: str) -> None:
        await self._steering.send(word)
        await asyncio.wait_for(self._steering.recv(), ROUND_MAY_TAKE_S)


@contextlib.asynccontextmanager
async def playing(recording: Path) -> AsyncIterator[Player]:
    """A player of this recording in a process of its own, which is gone afterwards."""
    words = [sys.executable, "-m", "bench.playback", str(recording)]
    server = await asyncio.create_subprocess_exec(*words, stdout=PIPE)
    assert server.stdout is not None
    try:
        port = (await server.stdout.readline()).decode().strip()
        if not port:
            raise CannotMeasure("The playing server did not start: its error is above this line; mend that first.")
        frames = await asyncio.to_thread(_lines, recording)
        async with connect(f"ws://127.0.0.1:{port}/steer", ping_interval=None) as steering:
            yield Player(f"http://127.0.0.1:{port}", steering, frames)
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        await server.wait()


def _lines(recording: Path) -> int:
    return len(recording.read_text().splitlines())
