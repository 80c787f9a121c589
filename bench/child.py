"""Processes of a benchmark that are steered by lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence

from bench.problems import CannotMeasure

ANSWER_MAY_TAKE_S = 180.0
LONGEST_LINE = 2**26


class Child:
    """A process that reads lines and answers in lines."""

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self._name = name

    async def say(self, line: str) -> None:
        """The process can read the line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def hear(self, within_s: float = ANSWER_MAY_TAKE_S) -> str:
        """Its next line. Raises `CannotMeasure` when it ended."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), within_s)
        if not line:
            raise CannotMeasure(f"{self._name} ended too early: its error is above this line, if it had one.")
        return line.decode().strip()


@contextlib.asynccontextmanager
async def child(
    *words: str, program: str = sys.executable, env: Mapping[str, str] | None = None, stderr: int | None = None
) -> AsyncIterator[Child]:
    """The process, told to end afterwards and waited for."""
    whole: Sequence[str] = (program, *words)
    process = await asyncio.create_subprocess_exec(
        *whole, stdin=PIPE, stdout=PIPE, stderr=stderr, env={**os.environ, **(env or {})}, limit=LONGEST_LINE
    )
    try:
        yield Child(process, words[-1] if len(words) < 3 else words[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()
