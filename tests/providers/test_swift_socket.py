"""Messages handed on where they are read, however the network cuts them, and everything else left to the library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CLOSED, CLOSING, OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from callops.providers.openai import swift_socket
from callops.providers.openai.swift_socket import SwiftConnection


class Wire(asyncio.Transport):
    """What the client wrote, and whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.reads = True
        self.pauses = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.reads = False
        self.pauses += 1

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


class Line:
    """A client's end, and a server's end that speaks through the library."""

    def __init__(self) -> None:
        self.connection = SwiftConnection(ClientProtocol(parse_uri("ws://localhost/v1/realtime")))
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.server = ServerProtocol()
        self.came: list[bytes] = []

    async def shake_hands(self) -> bytes:
        """The client has asked; what the server answers."""
        self.asking = asyncio.ensure_future(self.connection.handshake())
        await asyncio.sleep(0)
        self.server.receive_data(bytes(self.wire.written))
        self.wire.written.clear()
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.server.send_response(self.server.accept(request))
        return self.out()

    def out(self) -> bytes:
        """What the server has to say."""
        return b"".join(self.server.data_to_send())

    def take(self, message: bytes) -> bool:
        self.came.append(message)
        return True

    async def open(self) -> asyncio.Task[None]:
        """The handshake is over, and what comes is taken."""
        self.connection.data_received(await self.shake_hands())
        await self.asking
        return await self.feed()

    async def feed(self, take: Callable[[bytes], bool] | None = None) -> asyncio.Task[None]:
        feeding = asyncio.ensure_future(self.connection.feed(take or self.take))
        await asyncio.sleep(0)
        return feeding


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


SAID = [b"{}", b"", b"x" * 125, b"y" * 126, b"z" * 300, "Zoë 你好".encode(), b"w" * 70_000, b'{"last":1}']


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 126, 4096, 10_000_000])
async def test_messages_are_the_same_however_the_network_cuts_them(size: int) -> None:
    line = Line()
    shaken = await line.shake_hands()
    for message in SAID:
        line.server.send_text(message)

    for piece in cut(shaken + line.out(), size):
        line.connection.data_received(piece)
    await line.asking
    await line.feed()

    assert line.came == SAID


@pytest.mark.parametrize("size", [1, 2, 5, 10_000])
async def test_a_message_in_several_frames_with_a_ping_between_them_is_one_message_in_its_place(size: int) -> None:
    line = Line()
    await line.open()
    line.server.send_text(b"before")
    line.server.send_text(b"one ", fin=False)
    line.server.send_ping(b"still there?")
    line.server.send_continuation(b"two ", fin=False)
    line.server.send_continuation(b"three", fin=True)
    line.server.send_binary(b"\x00\x01")
    line.server.send_text(b"after")

    for piece in cut(line.out(), size):
        line.connection.data_received(piece)

    assert line.came == [b"before", b"one two three", b"\x00\x01", b"after"]
    line.server.receive_data(bytes(line.wire.written))
    (pong,) = line.server.events_received()
    assert isinstance(pong, Frame)
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"still there?")


async def test_what_comes_before_anybody_takes_waits_in_order_and_stops_the_sender_when_it_is_much() -> None:
    line = Line()
    line.connection.data_received(await line.shake_hands())
    for number in range(swift_socket.MAX_EARLY + 1):
        assert line.wire.pauses == 0
        line.server.send_text(b"%d" % number)
        line.connection.data_received(line.out())
    await line.feed()

    assert line.came == [b"%d" % number for number in range(swift_socket.MAX_EARLY + 1)]
    assert line.wire.pauses == 1
    assert line.wire.reads


async def test_who_has_enough_is_given_no_more_and_the_rest_waits_for_the_next() -> None:
    line = Line()
    line.connection.data_received(await line.shake_hands())
    first: list[bytes] = []

    def two(message: bytes) -> bool:
        first.append(message)
        return len(first) < 2

    feeding = await line.feed(two)
    for message in (b"1", b"2", b"3"):
        line.server.send_text(message)
    line.connection.data_received(line.out())
    await asyncio.wait_for(feeding, 5)

    await line.feed()

    assert (first, line.came) == ([b"1", b"2"], [b"3"])


async def test_what_goes_wrong_with_a_message_is_told_to_who_feeds_and_the_connection_lives() -> None:
    line = Line()
    line.connection.data_received(await line.shake_hands())

    def fail(message: bytes) -> bool:
        raise ValueError("cannot be folded")

    feeding = await line.feed(fail)
    line.server.send_text(b"1")
    line.connection.data_received(line.out())

    with pytest.raises(ValueError, match="cannot be folded"):
        await asyncio.wait_for(feeding, 5)
    assert line.connection.protocol.state is OPEN


async def test_a_clean_close_ends_the_feeding_after_the_last_message() -> None:
    line = Line()
    feeding = await line.open()
    line.server.send_text(b"last")
    line.server.send_close(1001, "maximum duration")
    line.connection.data_received(line.out())
    line.connection.connection_lost(None)

    await asyncio.wait_for(feeding, 5)

    assert line.came == [b"last"]
    assert (line.connection.close_code, line.connection.close_reason) == (1001, "maximum duration")


async def test_half_a_message_at_the_end_is_no_message() -> None:
    line = Line()
    feeding = await line.open()
    line.server.send_text(b"whole")
    line.server.send_text(b"half of it")
    line.connection.data_received(line.out()[:-3])
    line.connection.connection_lost(None)

    await asyncio.wait_for(feeding, 5)

    assert line.came == [b"whole"]
    assert line.connection.close_code == 1006


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (bytes([0x81, 0x82, 1, 2, 3, 4, 5, 6]), 1002),  # masked, which no server does
        (bytes([0xC1, 0x02]) + b"{}", 1002),  # a reserved bit
        (bytes([0x80, 0x02]) + b"{}", 1002),  # goes on with a message that never began
        (bytes([0x81, 127]) + (2**40).to_bytes(8, "big"), 1009),  # longer than anything may be
    ],
)
async def test_a_frame_that_breaks_the_rules_closes_the_connection_as_the_library_does(frame: bytes, code: int) -> None:
    line = Line()
    await line.open()

    line.connection.data_received(frame)
    line.connection.data_received(b"\x81\x02{}")  # whatever follows is nothing any more

    assert line.connection.protocol.state in (CLOSING, CLOSED)
    assert line.came == []
    assert isinstance(line.connection.protocol.parser_exc, Exception)
    line.connection.connection_lost(None)
    closed = line.connection.protocol.close_exc
    assert isinstance(closed, ConnectionClosedError)
    assert closed.sent is not None
    assert closed.sent.code == code
