"""Other people's receive loops over the same frames, in a process and an environment of their own.

`python rivals.py NAME ADDRESS FRAMES` is run with the packages of `requirements/bench.txt`. A round: it reads a number,
opens as many sockets and prints `open`; it reads `go`, starts its watch and prints `going`; it reads every frame once
on each socket, keeps nothing, and prints `{"frames", "cpu_s", "wall_s"}`; it reads `over` and closes the sockets.
It imports nothing of this program.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable
from time import perf_counter, process_time
from typing import Any

_numbers = itertools.count(1)


def main() -> None:
    name, address, frames = sys.argv[1:]
    asyncio.run(_rounds(RIVALS[name], name, address, int(frames)))


async def _rounds(attached: Callable[..., Any], name: str, address: str, frames: int) -> None:
    while sockets := await _heard():
        async with contextlib.AsyncExitStack() as held:
            ids = [f"rtc_{name}_{next(_numbers)}" for _ in range(int(sockets))]
            opened = [await held.enter_async_context(attached(address, call_id)) for call_id in ids]
            _say("open")
            await _heard()
            cpu_s, wall_s = process_time(), perf_counter()
            _say("going")
            await asyncio.gather(*(_take(events, frames) for events in opened))
            cost = {"frames": frames * len(opened), "cpu_s": process_time() - cpu_s, "wall_s": perf_counter() - wall_s}
            _say(json.dumps(cost))
            await _heard()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _heard() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


async def _take(events: AsyncIterator[Any], count: int) -> None:
    async for _ in events:
        count -= 1
        if count == 0:
            return


@contextlib.asynccontextmanager
async def sdk(address: str, call_id: str) -> AsyncIterator[AsyncIterator[Any]]:
    """The `openai` SDK's typed receive loop."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="sk-bench-0000", base_url=address)
    async with client.realtime.connect(call_id=call_id) as connection:
        yield connection.__aiter__()


@contextlib.asynccontextmanager
async def agents(address: str, call_id: str) -> AsyncIterator[AsyncIterator[Any]]:
    """An `openai-agents` realtime session attached to a SIP call, with the tools that the assistant calls."""
    from agents import function_tool, set_tracing_disabled
    from agents.realtime import OpenAIRealtimeSIPModel, RealtimeAgent, RealtimeRunner

    set_tracing_disabled(True)

    @function_tool
    def lookup_outage(account_last4: str) -> str:
        return "none"

    @function_tool
    def transfer_call(destination: str, reason: str, summary: str) -> str:
        return "none"

    agent = RealtimeAgent(name="bench", instructions="", tools=[lookup_outage, transfer_call])
    url = f"ws{address.removeprefix('http')}/realtime?call_id={call_id}"
    config: Any = {"api_key": "sk-bench-0000", "call_id": call_id, "url": url}
    async with await RealtimeRunner(agent, model=OpenAIRealtimeSIPModel()).run(model_config=config) as session:
        yield _server_events(session)


async def _server_events(session: Any) -> AsyncIterator[Any]:
    async for event in session:
        if event.type == "raw_model_event" and event.data.type == "raw_server_event":
            yield event


RIVALS = {"openai": sdk, "openai-agents": agents}

if __name__ == "__main__":
    main()
