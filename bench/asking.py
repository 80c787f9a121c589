"""Requests to an ASGI application in this process: no server, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

from bench.problems import CannotMeasure

Message = MutableMapping[str, Any]


class Unexpected(CannotMeasure):
    """The application answered something else than the benchmark needs."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        words = body[:300].decode("utf-8", "replace")
        super().__init__(
            f"POST {path} was answered {status}: {words!r}. Run `make test` to see whether that door works, "
            "then the benchmark again."
        )


async def post(application: Any, path: str, *, headers: Mapping[str, str], body: bytes, status: int) -> bytes:
    """The body of the answer to a POST; raises `Unexpected` when its status is not `status`."""
    got, answer = await _exchange(application, _scope(path, headers, body), body)
    if got != status:
        raise Unexpected(path, got, answer)
    return answer


async def _exchange(application: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    told: list[Message] = []
    request = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        """The request once; after it a client that stays connected."""
        if request:
            return request.pop()
        await asyncio.get_running_loop().create_future()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    await application(scope, receive, send)
    status = next(message["status"] for message in told if message["type"] == "http.response.start")
    return status, b"".join(message.get("body", b"") for message in told)


def _scope(path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    sent = {"host": "127.0.0.1", "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
