"""One attached sideband socket (contract OpenAI 4): frames leave in order, and it can drop without a word."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSCloseCode, web

LARGEST_FRAME = 16 * 1024 * 1024


class Sideband:
    """A client's socket; a slow one delays nobody but itself."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._socket = web.WebSocketResponse(compress=False, max_msg_size=LARGEST_FRAME)
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._farewell: tuple[int, bytes] = (WSCloseCode.OK, b"")

    async def open(self) -> None:
        """Answer the handshake with 101."""
        await self._socket.prepare(self._request)

    def send(self, event: dict[str, Any]) -> None:
        """Queue one event."""
        self._frames.put_nowait(json.dumps(event, separators=(",", ":"), ensure_ascii=False))

    def send_raw(self, frame: str) -> None:
        """Queue a frame as it is, JSON or not."""
        self._frames.put_nowait(frame)

    def drop(self) -> None:
        """Cut the connection at once: no close frame, what is queued is lost (1006 at the client)."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def close(self, code: int, reason: str = "") -> None:
        """Close with this code and reason, after everything queued; 1006 cannot be sent: the connection is cut."""
        if code == WSCloseCode.ABNORMAL_CLOSURE:
            self.drop()
            return
        self._farewell = (code, reason.encode())
        self._frames.put_nowait(None)

    async def write(self) -> None:
        """Send what is queued until the socket is closed or gone."""
        while (frame := await self._frames.get()) is not None:
            try:
                await self._socket.send_str(frame)
            except ConnectionError:
                return
        code, reason = self._farewell
        await self._socket.close(code=code, message=reason)

    def frames(self) -> web.WebSocketResponse:
        """The incoming messages, as an async iterator; also the handler's answer."""
        return self._socket
