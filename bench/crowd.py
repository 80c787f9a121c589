"""An OpenAI and a carrier in a process of their own, on whose sidebands many people talk at once.

`python -m bench.crowd` prints its port. Every request that is noted is printed as `{"what", "at"}`, by the clock that
all processes of a machine share. For a line `SECONDS PACE` on standard input all calls that are open talk so long,
`PACE` events a second each; then `{"said": {call: pieces}}` is printed. Each piece of text is a number and when it was
sent, both in letters: people rarely say long numbers, and what looks like one is not shown.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from aiohttp import WSMsgType, web

from bench.letters import in_letters
from bench.street import Street

PIECES = 52
"""Pieces of text in one thing that is said; with the frames around them, sixty frames, two seconds of talk."""


class Talker:
    """One call: what it says next, and how much it said."""

    def __init__(self, call_id: str, socket: web.WebSocketResponse) -> None:
        self.call_id = call_id
        self.socket = socket
        self.said = 0
        self._frames = self._talk()

    async def go_on(self) -> None:
        """One more event."""
        await self.socket.send_str(json.dumps(next(self._frames)))

    def _talk(self) -> Iterator[dict[str, Any]]:
        previous = None
        for number in itertools.count():
            item_id, response = f"item_{number}_{self.call_id}", {"response_id": f"resp_{number}"}
            item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
            whole = {"id": response["response_id"], "conversation_id": f"conv_{self.call_id}"}
            about = {**response, "item_id": item_id, "output_index": 0, "content_index": 0}
            yield {"type": "response.created", "response": {**whole, "status": "in_progress"}}
            yield {"type": "conversation.item.added", "previous_item_id": previous, "item": item}
            yield {"type": "response.output_item.added", **response, "item": item}
            yield {"type": "output_audio_buffer.started", **response}
            text = ""
            for piece in range(PIECES):
                self.said += 1
                delta = f" {in_letters(self.said)}~{in_letters(round(perf_counter() * 1e6))}"
                text += delta
                event_id = f"event_{number}_{piece}_{self.call_id}"
                yield {"type": "response.output_audio_transcript.delta", "event_id": event_id, **about, "delta": delta}
            yield {"type": "response.output_audio_transcript.done", **about, "transcript": text}
            done = {**item, "status": "completed"}
            yield {"type": "conversation.item.done", "previous_item_id": previous, "item": done}
            yield {"type": "response.done", "response": {**whole, "status": "completed"}}
            yield {"type": "output_audio_buffer.stopped", **response}
            previous = item_id


class Crowd(Street):
    """The street with sidebands."""

    def __init__(self) -> None:
        super().__init__()
        self.talkers: dict[str, Talker] = {}

    def routes(self, application: web.Application) -> None:
        super().routes(application)
        application.router.add_get("/v1/realtime", self._sideband)

    async def talk(self, seconds: float, pace: float) -> dict[str, int]:
        """All that are here talk, one after another and each in its turn; how many pieces each one said."""
        talkers = list(self.talkers.values())
        begun, gap = perf_counter(), 1 / (pace * len(talkers))
        for number in range(int(seconds * pace * len(talkers))):
            early = begun + number * gap - perf_counter()
            if early > 0.002:
                await asyncio.sleep(early)
            await talkers[number % len(talkers)].go_on()
        return {talker.call_id: talker.said for talker in talkers}

    async def _sideband(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        call_id = request.query["call_id"]
        self.talkers[call_id] = Talker(call_id, socket)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self.talkers.pop(call_id, None)
        return socket

    def note(self, verb: str, of: str) -> None:
        _say({"what": f"{verb} {of}", "at": perf_counter()})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


async def main() -> None:
    """Serve until standard input ends."""
    async with Crowd() as crowd:
        print(crowd.address.rpartition(":")[2], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds, pace = map(float, line.split())
            _say({"said": await crowd.talk(seconds, pace)})


if __name__ == "__main__":
    asyncio.run(main())
