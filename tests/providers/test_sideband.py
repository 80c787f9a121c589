"""The sideband socket against a real server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from callops.providers.openai import sideband
from callops.providers.openai.sideband import NotReady, Sideband
from callops.providers.receipt import NoAnswer, Refused

CALL_ID = "rtc_u1_EmLyXSbXOIkDj8Q6xzR8t"
NOT_FOUND = '{"error":{"message":"No session found for the provided call_id","code":"call_id_not_found","param":""}}'

Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def stage(talk: Talk, refuse: tuple[int, str] | None = None) -> AsyncIterator[str]:
    """A server that refuses the handshake or holds the conversation `talk`; yields its base URL."""

    def answer(socket: ServerConnection, request: Request) -> Response | None:
        return socket.respond(HTTPStatus(refuse[0]), refuse[1]) if refuse else None

    def add_request_id(socket: ServerConnection, request: Request, response: Response) -> None:
        response.headers["x-request-id"] = "req_1"

    async with serve(talk, "127.0.0.1", 0, process_request=answer, process_response=add_request_id) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"


async def silent(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def read(line: Sideband, at_most: int = 10_000) -> list[bytes]:
    """The next frames, until the socket has closed."""
    frames: list[bytes] = []

    def take(frame: bytes) -> bool:
        frames.append(frame)
        return len(frames) < at_most

    await line.feed(take)
    return frames


async def test_frames_arrive_as_they_were_sent_and_a_clean_close_ends_the_iteration() -> None:
    seen: list[Request | None] = []

    async def talk(socket: ServerConnection) -> None:
        seen.append(socket.request)
        for n in range(200):
            await socket.send(json.dumps({"type": "x", "n": n}))
        await socket.close(1001, "Your session hit the maximum duration of 60 minutes.")

    async with stage(talk) as base, await Sideband.connect(base, "sk-test", CALL_ID) as line:
        frames = await read(line)

    assert [json.loads(frame)["n"] for frame in frames] == list(range(200))
    assert (line.close_code, line.close_reason) == (1001, "Your session hit the maximum duration of 60 minutes.")
    request = seen[0]
    assert request is not None
    assert request.path == f"/v1/realtime?call_id={CALL_ID}"
    assert request.headers["Authorization"] == "Bearer sk-test"
    assert "OpenAI-Beta" not in request.headers
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_the_handshake_is_kept_as_a_receipt() -> None:
    async with stage(silent) as base, await sideband.connect(base, "sk-test", CALL_ID) as line:
        assert line.close_code is None
        assert line.receipt.status == 101
        assert line.receipt.request_id == "req_1"
        assert line.receipt.absent == ("openai-processing-ms",)


async def test_an_abrupt_drop_is_1006() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.send("{}")
        await socket.recv()
        socket.transport.abort()

    async with stage(talk) as base, await Sideband.connect(base, "k", CALL_ID) as line:
        assert await read(line, 1) == [b"{}"]
        await line.send({"type": "response.cancel"})
        rest = await read(line)

    assert rest == []
    assert line.close_code == 1006


async def test_a_frame_of_several_mib_passes() -> None:
    big = json.dumps({"type": "session.updated", "session": {"instructions": "x" * (6 * 1024 * 1024)}})

    async def talk(socket: ServerConnection) -> None:
        await socket.send(big)

    async with stage(talk) as base, await Sideband.connect(base, "k", CALL_ID) as line:
        frames = await read(line)

    assert frames == [big.encode()]
    assert line.close_code == 1000


async def test_an_event_is_sent_as_one_text_frame_of_json() -> None:
    heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def talk(socket: ServerConnection) -> None:
        async for message in socket:
            heard.put_nowait(message)

    async with stage(talk) as base, await Sideband.connect(base, "k", CALL_ID) as line:
        await line.send({"type": "response.create", "response": {"instructions": "Zoë"}})
        message = await asyncio.wait_for(heard.get(), 5)

    assert isinstance(message, str)
    assert json.loads(message) == {"type": "response.create", "response": {"instructions": "Zoë"}}


async def test_sending_after_the_end_says_that_it_was_dropped() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.close()

    async with stage(talk) as base, await Sideband.connect(base, "k", CALL_ID) as line:
        assert await read(line) == []
        with pytest.raises(NoAnswer) as caught:
            await line.send({"type": "response.cancel"})

    assert caught.value.reason == "dropped"


async def test_closing_it_ourselves_ends_a_running_iteration() -> None:
    async with stage(silent) as base:
        line = await Sideband.connect(base, "k", CALL_ID)
        reading = asyncio.create_task(read(line))
        await line.close()
        await line.close()

        assert await asyncio.wait_for(reading, 5) == []
        assert line.close_code == 1000


@pytest.mark.parametrize(("body", "code"), [(NOT_FOUND, "call_id_not_found"), ("", None)])
async def test_a_404_on_the_handshake_means_not_ready(body: str, code: str | None) -> None:
    async with stage(silent, refuse=(404, body)) as base:
        with pytest.raises(NotReady) as caught:
            await Sideband.connect(base, "k", CALL_ID)

    assert caught.value.code == code
    assert caught.value.receipt.status == 404


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_any_other_answer_on_the_handshake_is_a_refusal(status: int) -> None:
    async with stage(silent, refuse=(status, '{"error":{"code":"why","message":"because"}}')) as base:
        with pytest.raises(Refused) as caught:
            await Sideband.connect(base, "k", CALL_ID)

    assert type(caught.value) is Refused
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, "why", "because")


@asynccontextmanager
async def plain_server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def test_a_connection_dropped_during_the_handshake_is_no_answer() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with plain_server(hang_up) as base:
        with pytest.raises(NoAnswer) as caught:
            await Sideband.connect(base, "k", CALL_ID)

    assert caught.value.reason == "dropped"


async def test_a_handshake_without_an_answer_times_out() -> None:
    done = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with plain_server(wait) as base:
        with pytest.raises(NoAnswer) as caught:
            await Sideband.connect(base, "k", CALL_ID, open_timeout_s=0.05)
        done.set()

    assert caught.value.reason == "timeout"


async def test_a_closed_port_was_never_reached() -> None:
    async with stage(silent) as base:
        pass

    with pytest.raises(NoAnswer) as caught:
        await Sideband.connect(base, "k", CALL_ID)

    assert caught.value.reason == "connect"


@pytest.mark.parametrize(("base", "call_id"), [("ftp://x", CALL_ID), ("x", CALL_ID), ("http://x", "a&model=b")])
async def test_an_address_that_makes_no_sense_is_not_tried(base: str, call_id: str) -> None:
    with pytest.raises(ValueError, match=r"base URL|call_id"):
        await Sideband.connect(base, "k", call_id)
