"""What is too big or too slow is refused on the wire, by the server as it runs, before anything is read."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from callops.core.doors import PAGES, PROBES, SOCKETS, TWILIO, Door
from tests.core.test_server import serving

HURRIED = {"CALLOPS_TEST_HURRY": "20"}
"""The tiny application then gives a request a twentieth of the time of its door."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as served:
        served.says("ready")
        yield served.port


def said(port: int, *pieces: bytes, then_wait: bool = True) -> str:
    """What the server answers to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                wire.sendall(piece)
        answer = b""
        while then_wait and (more := wire.recv(65536)):
            answer += more
    return answer.decode()


def posted(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", "")).encode()


@pytest.mark.parametrize(("door", "path"), [(TWILIO, "/twiml/inbound"), (PAGES, "/calls/"), (PROBES, "/healthz")])
def test_a_body_larger_than_its_door_takes_is_413_before_it_is_sent(port: int, door: Door, path: str) -> None:
    too_much = said(port, posted(path, f"Content-Length: {door.body + 1}"))
    just = said(port, posted(path, f"Content-Length: {door.body}") + b"x" * door.body)

    assert too_much.startswith("HTTP/1.1 413 ") and f"More than {door.body // 1024} KB" in too_much
    assert just.startswith("HTTP/1.1 200 ") and "done" in just


def test_an_address_in_disguise_has_the_limit_of_its_door(port: int) -> None:
    assert said(port, posted("/%68ealthz", "Content-Length: 2000")).startswith("HTTP/1.1 413 ")


def test_a_body_in_chunks_is_413_once_it_is_too_large(port: int) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    answer = said(port, posted("/twiml/inbound", "Transfer-Encoding: chunked"), *(chunk for _ in range(200)))

    assert answer.startswith("HTTP/1.1 413 ")


def test_who_asks_before_sending_is_told_not_to(port: int) -> None:
    answer = said(port, posted("/twiml/inbound", "Expect: 100-continue", "Content-Length: 99999999"))

    assert answer.startswith("HTTP/1.1 413 ")


def test_a_request_that_does_not_end_in_time_is_408_though_it_never_pauses_for_long() -> None:
    with serving(**HURRIED) as served:
        served.says("ready")
        headers = said(served.port, b"POST /twiml/inbound HTTP/1.1\r\nHo")
        body = said(served.port, posted("/twiml/inbound", "Content-Length: 9") + b"abc")
        line = said(served.port, b"G")

    for answer in (headers, body, line):
        assert answer.startswith("HTTP/1.1 408 ")
        assert "Retry-After: " in answer and "took too long to arrive" in answer


def test_a_message_that_no_page_sends_closes_its_socket(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/ws/board/") as browser:
        browser.send("x" * SOCKETS.body)
        assert browser.recv(timeout=30) == "x" * SOCKETS.body

        browser.send("x" * (SOCKETS.body + 1))

        with pytest.raises(ConnectionClosed):
            browser.recv(timeout=30)


def test_several_requests_on_one_connection_are_each_answered(port: int) -> None:
    once = b"POST /twiml/inbound HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"

    answer = said(port, once + once + posted("/healthz"))

    assert answer.count("HTTP/1.1 200 ") == 3
