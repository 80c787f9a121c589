"""One address in front of several servers, as a proxy has it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Sequence

from tests.servers import free_port

CHUNK = 65_536


class Door:
    """A new connection goes to the next server that takes it; what runs over it is passed on as it is."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = free_port()
        self._turn = itertools.cycle(ports)
        self._servers = len(ports)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    def close(self) -> None:
        """Nobody is let in any more."""
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _leave(self) -> None:
        self._server.close()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self._servers):
            try:
                behind = await asyncio.open_connection("127.0.0.1", next(self._turn))
            except OSError:
                continue
            await asyncio.gather(_pump(reader, behind[1]), _pump(behind[0], writer))
            return
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.close()
