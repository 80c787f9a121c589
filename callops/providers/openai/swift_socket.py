"""A client's WebSocket whose messages are handed on where they are read: no queue, and no task to be woken for each.

A sideband brings thousands of small messages a second, nearly all of them one whole, unmasked text frame (RFC 6455
5.2). Those are taken out of what was read here; every other frame is the library's, which is given frames whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import CONNECTING, OPEN, Event

TEXT_ALONE: Final = 0x81
"""The first byte of a text message in one frame."""
MASKED: Final = 0x80
LENGTH_IN_2, LENGTH_IN_8 = 126, 127
HEAD: Final = 2
MAX_FRAME_BYTES: Final = 32 * 1024 * 1024
MAX_EARLY: Final = 64

Take = Callable[[bytes], bool]


class SwiftConnection(ClientConnection):
    """Messages that come while nobody takes any wait; past `MAX_EARLY` of them, the socket is not read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._take: Take | None = None
        self._over: asyncio.Future[None] | None = None
        self._early: list[bytes] = []
        self._pieces: list[bytes] = []
        """What has come of a message in several frames."""
        self._rest = bytearray()
        """The beginning of a frame whose end has not come."""
        self._needed = 0
        """How long that has to be before it is looked at again."""
        self._is_ours = False
        """Whether frames are told apart here: from the end of the handshake on."""

    async def feed(self, take: Take) -> None:
        """Each message is given to `take` as it came, in order and as soon as it is read, until that returns False or
        the socket has closed. Raises what `take` raises. What comes afterwards waits for the next `feed`.
        """
        self._over = asyncio.get_running_loop().create_future()
        self._take = take
        early, self._early = self._early, []
        for message in early:
            self._give(message)
        self.transport.resume_reading()
        if self.is_lost:
            self._end(None)
        try:
            await self._over
        finally:
            self._take = self._over = None

    @property
    def is_lost(self) -> bool:
        """Whether the connection is over, in whatever way."""
        return self.connection_lost_waiter.done()

    def pause_reading(self) -> None:
        """The sender has to wait."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """No more."""
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """What was read is cut into frames, and each whole one goes its way."""
        if not self._is_ours:
            data = self._shake_hands(data)
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        at, end = 0, len(data)
        while at < end:
            begins, ends = _extent(data, at)
            if ends - begins > MAX_FRAME_BYTES or (at + 1 < end and data[at + 1] & MASKED):
                self._is_ours = False  # the library closes the connection, and says why
                super().data_received(data[at:])
                return
            if ends > end:
                self._rest += data[at:]
                self._needed = ends - at
                return
            if data[at] == TEXT_ALONE and self.protocol.state is OPEN and not self._pieces:
                self._give(data[begins:ends])
            else:
                super().data_received(data[at:ends])
            at = ends

    def _shake_hands(self, data: bytes) -> bytes:
        """The handshake is the library's, line by line; what comes after its end is ours when it went well."""
        at = 0
        while self.protocol.state is CONNECTING and at < len(data):
            ends = data.find(b"\n", at) + 1 or len(data)
            super().data_received(data[at:ends])
            at = ends
        self._is_ours = self.protocol.state is OPEN
        if self._is_ours:
            return data[at:]
        if at < len(data):
            super().data_received(data[at:])
        return b""

    def process_event(self, event: Event) -> None:
        """A data frame that went through the library becomes part of a message; everything else is the library's."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._pieces.append(bytes(event.data))
        if event.fin:
            message = b"".join(self._pieces)
            self._pieces.clear()
            self._give(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """No more comes."""
        super().connection_lost(exc)
        self._end(None)

    def _give(self, message: bytes) -> None:
        if self._take is None:
            self._early.append(message)
            if len(self._early) > MAX_EARLY:
                self.transport.pause_reading()
            return
        try:
            goes_on = self._take(message)
        except Exception as error:
            self._end(error)
        else:
            if not goes_on:
                self._end(None)

    def _end(self, error: Exception | None) -> None:
        """`feed` is over."""
        self._take = None
        if self._over is None or self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` begins and ends; beyond the data when its head is not whole yet."""
    begins = at + HEAD
    if begins > len(data):
        return begins, begins
    length = data[at + 1] & ~MASKED
    if length < LENGTH_IN_2:
        return begins, begins + length
    wide = begins + (2 if length == LENGTH_IN_2 else 8)
    return wide, wide + int.from_bytes(data[begins:wide], "big") if wide <= len(data) else wide
