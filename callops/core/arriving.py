"""Requests on their way in: what is too big or too slow is refused before it is read, whatever is behind the door.

Twisted's own limits are one line and the headers (16 KB each) and a pause between two bytes; a body of any size would
go to the disk, and a byte a minute would hold a connection for days.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from twisted.web.http import HTTPChannel

from callops.core.doors import HEADERS_S, IDLE_S, PAGES, TOO_SLOW, door_of, too_big

LINGERS_S = 2.0
"""What still comes after a refusal is read and thrown away for so long, so that the answer is not lost to a reset."""


_Channel: Any = HTTPChannel  # half of it has types


class Arriving(_Channel):
    """One connection. A request that is not there in time is 408, one that is too big 413; then the connection ends."""

    timeOut = IDLE_S  # noqa: N815 - Twisted's name
    _door = PAGES
    _late: Any = None
    _is_refused = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Bytes came: the first of a request starts its clock."""
        if self._is_refused:
            return
        if self._late is None and not self._handlingRequest:
            self._due_in(HEADERS_S)
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802 - Twisted's name
        """From here on the limits of the door hold."""
        self._door = door_of(unquote(self._path.decode("latin-1")))
        if self.length is not None and self.length > self._door.body:
            self._refuse("413 Content Too Large", too_big(self._door))
            return
        self._due_in(self._door.body_s)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """A piece of a body. One in chunks says its size only by being there."""
        if self._is_refused:
            return
        super().rawDataReceived(data)
        in_chunks = self.length is None and self.requests and not self._handlingRequest
        if in_chunks and self.requests[-1].content.tell() > self._door.body:
            self._refuse("413 Content Too Large", too_big(self._door))

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """The whole request is there."""
        self._in_time()
        super().allContentReceived()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """Nobody is waited for any more."""
        self._in_time()
        super().connectionLost(reason)

    def _due_in(self, seconds: float) -> None:
        self._in_time()
        self._late = self.callLater(seconds, self._too_slow)

    def _in_time(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()
        self._late = None

    def _too_slow(self) -> None:
        self._refuse("408 Request Timeout", TOO_SLOW, "Retry-After: 1\r\n")

    def _refuse(self, status: str, why: str, more: str = "") -> None:
        self._is_refused = True
        self._in_time()
        self.setTimeout(None)
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n{more}"
        body = f"{why}\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self.transport.loseWriteConnection()
        self._late = self.callLater(LINGERS_S, self.transport.abortConnection)
