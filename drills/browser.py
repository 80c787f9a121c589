"""A browser that watches one call over the door: a socket that comes back when it is closed, as htmx does it."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

TRY_AGAIN_S = 0.5


class Browser:
    """Reads in a thread of its own; `texts` are what came, `joined` how often the socket was opened."""

    def __init__(self, url: str, cookie: str, origin: str) -> None:
        self.texts: list[str] = []
        self.joined = 0
        self.longest_gap_s = 0.0
        self._url, self._headers, self._origin = url, {"Cookie": cookie}, origin
        self._socket: ClientConnection | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._closing = True
        if self._socket is not None:
            self._socket.close()
        self._thread.join(10)

    def _watch(self) -> None:
        lost_at: float | None = None
        while not self._closing:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError, EOFError):
                self._read(lost_at)
            lost_at = time.monotonic()
            time.sleep(TRY_AGAIN_S)

    def _read(self, lost_at: float | None) -> None:
        options = {"additional_headers": self._headers, "origin": self._origin, "max_size": None}
        with connect(self._url, **options) as self._socket:
            self.joined += 1
            if lost_at is not None:
                self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - lost_at)
            for text in self._socket:
                self.texts.append(str(text))
