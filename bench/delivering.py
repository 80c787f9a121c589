"""The web server of a benchmark, in a process of its own: hands texts to many sockets, in four ways.

`python -m bench.delivering` prints the port of Daphne with our consumers and that of a bare `websockets` server. For
every line `WAY CALL SOCKETS TIMES` on standard input it waits for so many sockets, delivers to all of that way so
often, and prints the cost.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - Django comes first
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.urls import path  # noqa: E402
from websockets.asyncio.server import Server as BareServer  # noqa: E402
from websockets.asyncio.server import ServerConnection, broadcast, serve  # noqa: E402

from bench import stage  # noqa: E402
from bench.cost import Stopwatch  # noqa: E402
from callops.core.database import in_db  # noqa: E402
from callops.core.server import Server  # noqa: E402
from callops.dashboard.call_rows import turn_row  # noqa: E402
from callops.dashboard.hub import hub  # noqa: E402
from callops.dashboard.outbox import Outbox  # noqa: E402
from callops.dashboard.routing import websocket_urlpatterns  # noqa: E402
from callops.sideband.models import Turn  # noqa: E402

GROUP = "bench.deliveries"


class InGroup(AsyncWebsocketConsumer):
    """The usual way: every socket is a member of a group and gets each text as a message of its own."""

    there = 0
    delivered = 0

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        InGroup.there += 1
        await self.accept()

    async def deliver(self, message: dict[str, Any]) -> None:
        await self.send(message["text"])
        InGroup.delivered += 1


async def _signed_in(scope: dict[str, Any], receive: Any, send: Any) -> None:
    scope["user"] = await in_db(User.objects.get)()
    await URLRouter([path("ws/group", InGroup.as_asgi()), *websocket_urlpatterns])(scope, receive, send)


class Ways:
    """Each delivers one text to every socket of its kind, and returns when all were handed it."""

    def __init__(self, call_id: str, bare: BareServer) -> None:
        self._call_id = call_id
        self._bare = bare
        self._text = ""

    async def prepare(self, sockets: int) -> None:
        """All sockets are there; the text of all deliveries is a row of the call's transcript."""
        await _until(lambda: min(len(self._watching), InGroup.there, len(self._bare.connections)) == sockets)
        turn = await in_db(Turn.objects.get)(call_id=self._call_id)
        self._text = turn_row(turn, swap="true")

    async def hub(self) -> None:
        """What the hub does with a text that is rendered."""
        for outbox in self._watching:
            outbox.put(self._text)
        await _until(self._all_taken)

    async def change(self) -> None:
        """The whole way of a change: stored, read, rendered, delivered."""
        await in_db(stage.grow)(self._call_id)
        await hub._calls[self._call_id].refresh()
        await _until(self._all_taken)

    async def group(self) -> None:
        """One message to the group, which is one to each of its members."""
        wanted = InGroup.delivered + InGroup.there
        await get_channel_layer().group_send(GROUP, {"type": "deliver", "text": self._text})
        await _until(lambda: InGroup.delivered == wanted)

    async def bare(self) -> None:
        """As short as it can be written."""
        broadcast(self._bare.connections, self._text)
        await asyncio.sleep(0)

    @property
    def _watching(self) -> set[Outbox]:
        topic = hub._calls.get(self._call_id)
        return topic.outboxes if topic else set()

    def _all_taken(self) -> bool:
        return not any(outbox._waiting for outbox in self._watching)


class Steered:
    """The service beside the server: does what standard input says."""

    async def run(self) -> None:
        async with serve(_silent, "127.0.0.1", 0, compression=None, ping_interval=None) as bare:
            print(next(iter(bare.sockets)).getsockname()[1], flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                way, call_id, sockets, times = line.split()
                ways = Ways(call_id, bare)
                await ways.prepare(int(sockets))
                print(json.dumps(await _cost(getattr(ways, way), int(times))), flush=True)

    async def stop(self) -> None:
        """Nothing is held."""


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - every turn of the loop is one in which the sockets work
        await asyncio.sleep(0)


async def _cost(deliver: Callable[[], Awaitable[None]], times: int) -> dict[str, Any]:
    await deliver()
    watch = Stopwatch()
    for _ in range(times):
        await deliver()
    return dataclasses.asdict(watch.cost_of(times))


async def _silent(connection: ServerConnection) -> None:
    await connection.wait_closed()


def main() -> None:
    """Serve until the process is ended."""
    application = ProtocolTypeRouter({"websocket": _signed_in})
    server = Server(application, host="127.0.0.1", port=0, services=[Steered()])
    server.serve(ready=lambda: print(server.listening_addresses[0][1], flush=True))


if __name__ == "__main__":
    main()
