"""A tiny application on the real server, for tests that send signals to its process: `python -m tests.core.served`."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import Any

from callops.core import arriving
from callops.core.doors import HEADERS_S, door_of
from callops.core.server import Server


class Clock:
    """A service that says when it was stopped."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def run(self) -> None:
        print("service runs", flush=True)
        await self.told.wait()

    async def stop(self) -> None:
        self.told.set()
        print("service stopped", flush=True)


class Broken:
    """A service that fails at once."""

    async def run(self) -> None:
        raise RuntimeError("broken")

    async def stop(self) -> None:
        """Nothing to give back."""


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/slow` says that it has begun, and answers when its input pipe has been written to; a socket echoes."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        print(f"socket closed {message['code']}", flush=True)
        return
    if scope["path"] == "/slow":
        print("request begun", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"done"})


def main(port: int, kind: str) -> int:
    """Exit status 0 when the server ended well."""
    hurry = float(os.environ.get("CALLOPS_TEST_HURRY", "1"))
    limits = {"HEADERS_S": HEADERS_S / hurry, "door_of": lambda path: replace(door_of(path), body_s=10 / hurry)}
    vars(arriving).update(limits)
    service = Broken() if kind == "broken" else Clock()
    server = Server(application, host="127.0.0.1", port=port, services=[service])
    return 0 if server.serve(ready=lambda: print("ready", flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
