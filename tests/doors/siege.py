"""Sends hostile requests to a served process and keeps what it answered, how long that took, and what memory it has."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.doors.enemy import Enemy

AT_ONCE = 8
ANSWER_MAY_TAKE_S = 30.0
WAITS_S = 3.0
NO_ANSWER = "closed"


@dataclass
class Door:
    """What became of the requests at one door."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0


@dataclass
class Siege:
    """What became of all of them; `failures` are the first bytes of requests that were answered 5xx or not in time."""

    doors: dict[str, Door] = field(default_factory=lambda: defaultdict(Door))
    failures: list[str] = field(default_factory=list)

    def table(self) -> str:
        """A row for each door: requests, answers by status, the slowest."""
        lines = [f"{'door':9}{'requests':>9}{'slowest':>10}  answers"]
        for name, door in self.doors.items():
            answers = "  ".join(f"{status} × {count}" for status, count in sorted(door.statuses.items()))
            lines.append(f"{name:9}{door.statuses.total():>9}{door.slowest_ms:>7.0f} ms  {answers}")
        return "\n".join(lines)

    @property
    def sent(self) -> int:
        """How many requests."""
        return sum(door.statuses.total() for door in self.doors.values())


async def besiege(siege: Siege, enemy: Enemy, port: int, requests: int) -> None:
    """That many more requests, evenly over the doors, some at once."""
    turns = iter([name for _ in range(requests // len(enemy.doors) + 1) for name in enemy.doors][:requests])

    async def soldier() -> None:
        for name in turns:
            await _send(siege, name, enemy.doors[name](), port)

    await asyncio.gather(*(soldier() for _ in range(AT_ONCE)))


async def _send(siege: Siege, name: str, request: bytes, port: int) -> None:
    door, start = siege.doors[name], time.monotonic()
    try:
        async with asyncio.timeout(ANSWER_MAY_TAKE_S):
            status = await _status(request, port)
    except TimeoutError:
        status = "late"
    door.statuses[status] += 1
    door.slowest_ms = max(door.slowest_ms, (time.monotonic() - start) * 1000)
    if status.startswith("5") or status == "late":
        siege.failures.append(f"{name}: {status} to {request[:300]!r}")


async def _status(request: bytes, port: int) -> str:
    """The status of the answer. Where the server waits for more we say after a moment that none will come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
            line = asyncio.ensure_future(reader.readline())
            if not (await asyncio.wait([line], timeout=WAITS_S))[0]:
                writer.write_eof()
            answer = await line
            await reader.read(65536)
    finally:
        writer.close()
    words = answer.split()
    return words[1].decode("ascii", "replace") if len(words) > 1 and words[0].startswith(b"HTTP/") else NO_ANSWER


def memory_mb(pid: int) -> float:
    """The resident memory of the process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
