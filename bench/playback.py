"""A WebSocket server in a process of its own that plays the contract's call to every socket that is there.

`python -m bench.playback FRAMES` prints its port. One client steers it on `/steer`, in rounds: it sends how many
sockets to gather and hears `ready`; it sends how many frames a second each socket gets (0: as fast as they are read)
and the call is played to all; it sends `end`, hears `over`, and they are closed.
A call that was played is gone: its sideband is answered 404 from then on (contract OpenAI 4.3).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

PATH, STEER = "/realtime", "/steer"


class Playback:
    """The rounds and what is played in them."""

    def __init__(self, recording: Path) -> None:
        lines = recording.read_text().splitlines()
        frames = (json.dumps(json.loads(line)["event"]).encode() for line in lines if line)
        self._wire = [Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames]
        self._call_ids = set(re.findall(rb"\"call_id\": \"(call_\w+)\"", b"".join(self._wire)))
        self._played: set[str] = set()
        self._round = 0

    async def serve(self) -> None:
        """Serve until the process is ended."""
        self._begin()
        async with serve(
            self._talk,
            "127.0.0.1",
            0,
            process_request=self._doorkeeper,
            compression=None,
            ping_interval=None,
            max_queue=None,
        ) as server:
            print(next(iter(server.sockets)).getsockname()[1], flush=True)
            await server.serve_forever()

    def _begin(self) -> None:
        self._there = 0
        self._round += 1
        self._arrived = asyncio.Condition()
        self._go: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._end = asyncio.Event()

    def _doorkeeper(self, connection: ServerConnection, request: Request) -> Response | None:
        address = urlsplit(request.path)
        if address.path == STEER:
            return None
        call_id = parse_qs(address.query).get("call_id", [""])[0]
        if not call_id or call_id in self._played:
            return connection.respond(HTTPStatus.NOT_FOUND, "no such call\n")
        self._played.add(call_id)
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        if connection.request is not None and connection.request.path == STEER:
            await self._steered(connection)
        else:
            await self._play(connection)

    async def _steered(self, steering: ServerConnection) -> None:
        async for word in steering:
            await self._gathered(int(word))
            await steering.send("ready")
            self._go.set_result(float(await steering.recv()))
            await steering.recv()
            self._end.set()
            self._begin()
            await steering.send("over")

    async def _gathered(self, count: int) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._there >= count)

    async def _play(self, connection: ServerConnection) -> None:
        """Without a pace all frames go out in one write, which no sender can beat; the transport keeps the rest."""
        go, end = self._go, self._end
        async with self._arrived:
            self._there += 1
            self._arrived.notify_all()
        wire = [self._own(frame, self._there) for frame in self._wire]
        pace = await asyncio.shield(go)
        if not pace:
            connection.transport.write(b"".join(wire))
        else:
            await _play_slowly(connection, wire, pace)
        await end.wait()

    def _own(self, frame: bytes, number: int) -> bytes:
        """The frame with tool calls of its own: no two calls share the id of one (the length stays)."""
        for call_id in self._call_ids:
            frame = frame.replace(call_id, call_id[:-8] + b"%08d" % (1000 * self._round + number))
        return frame


async def _play_slowly(connection: ServerConnection, wire: list[bytes], pace: float) -> None:
    """One frame after another, by the clock: a late one does not delay those after it."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number, frame in enumerate(wire):
        await asyncio.sleep(begun + number / pace - loop.time())
        connection.transport.write(frame)


if __name__ == "__main__":
    asyncio.run(Playback(Path(sys.argv[1])).serve())
