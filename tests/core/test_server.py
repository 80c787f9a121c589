from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.servers import free_port, stop


class Served:
    """The tiny application of `tests.core.served` in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def says(self, line: str) -> None:
        """Read on until the process has printed the line."""
        assert self.process.stdout
        for got in self.process.stdout:
            if got.decode().strip() == line:
                return
        raise AssertionError(f"it never said {line!r}; exit status {self.process.wait(10)}")

    def go_on(self) -> None:
        """Let the slow request answer."""
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def serving(kind: str = "clock", port: int = 0, **env: str) -> Iterator[Served]:
    port = port or free_port()
    words = [sys.executable, "-m", "tests.core.served", str(port), kind]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **env})
    try:
        yield Served(process, port)
    finally:
        stop(process)
        for end in (process.stdin, process.stdout, process.stderr):
            assert end
            with contextlib.suppress(BrokenPipeError):
                end.close()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_well_when_told(ending: signal.Signals) -> None:
    with serving() as served:
        served.says("ready")
        assert httpx.get(served.url).text == "done"

        served.process.send_signal(ending)

        served.says("service stopped")
        assert served.process.wait(30) == 0


def test_a_request_in_flight_is_answered_while_new_connections_are_refused() -> None:
    with serving() as served, ThreadPoolExecutor() as threads:
        served.says("ready")
        slow = threads.submit(httpx.get, f"{served.url}/slow", timeout=30)
        served.says("request begun")

        served.process.send_signal(signal.SIGTERM)

        refused = _refuses(served.port)
        served.go_on()
        assert slow.result(30).text == "done"
        assert refused
        assert served.process.wait(30) == 0


def _refuses(port: int) -> bool:
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
    return False


def test_sockets_are_told_to_come_back() -> None:
    with serving() as served:
        served.says("ready")
        with connect(f"ws://127.0.0.1:{served.port}/ws") as browser:
            browser.send("hello")
            assert browser.recv(timeout=30) == "hello"

            served.process.send_signal(signal.SIGTERM)

            with pytest.raises(ConnectionClosed) as closed:
                browser.recv(timeout=30)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1012
        assert served.process.wait(30) == 0


def test_a_service_that_fails_ends_the_process_with_status_1() -> None:
    with serving("broken") as served:
        assert served.process.wait(30) == 1
        assert served.process.stderr
        assert "RuntimeError: broken" in served.process.stderr.read().decode()


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with serving(port=holder.getsockname()[1]) as served:
            assert served.process.wait(30) == 1
            assert served.process.stderr
            assert "--port" in served.process.stderr.read().decode()
