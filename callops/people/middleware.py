"""Every answer to somebody who may not read callers' numbers goes out with these veiled."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from callops.people.roles import Right
from callops.people.standing import standing_of
from callops.people.veil import veil

_TEXT: Final = ("text/html", "application/json", "text/csv", "text/plain", "image/svg+xml", "text/markdown")


class Veil:
    """Middleware: looks at answers of signed-in people only; who asks is known by session or by API token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._get_response(request)
        if not answer.headers.get("Content-Type", "").startswith(_TEXT) or not _is_to_be_veiled(request):
            return answer
        if isinstance(answer, StreamingHttpResponse):
            answer.streaming_content = _veiled_stream(answer.streaming_content)
        elif isinstance(answer, HttpResponse):
            answer.content = veil(answer.content.decode(answer.charset or "utf-8", "surrogateescape")).encode(
                answer.charset or "utf-8", "surrogateescape"
            )
            if answer.headers.get("Content-Length"):
                answer.headers["Content-Length"] = str(len(answer.content))
        return answer


def _is_to_be_veiled(request: HttpRequest) -> bool:
    person = getattr(request, "auth", None) or getattr(request, "user", None)
    standing = standing_of(person)
    return standing.is_active and not standing.may(Right.SEE_NUMBERS)


def _veiled_stream(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Line by line, since a number never spans two."""
    if isinstance(pieces, AsyncIterable):
        return _async_lines(pieces)
    return _lines(pieces)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (_veiled(line + b"\n") for line in whole)
    yield _veiled(rest)


async def _async_lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield _veiled(line + b"\n")
    yield _veiled(rest)


def _veiled(line: bytes) -> bytes:
    return veil(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
