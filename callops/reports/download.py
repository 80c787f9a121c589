"""A bundle as the answer to a request, made and sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

from django.http import HttpResponse, StreamingHttpResponse

from callops.reports.bundle import bundle, file_name
from callops.reports.record import CallRecord

ZIP = "application/zip"


def download(record: CallRecord, *, numbers: bool) -> HttpResponse:
    """The evidence as a file to be saved, never cached; telephone numbers only with `numbers`."""
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(record)}"',
        "Cache-Control": "no-store, private",
    }
    pieces = _beside(bundle(record, numbers=numbers))
    return cast("HttpResponse", StreamingHttpResponse(pieces, content_type=ZIP, headers=headers))


async def _beside(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made in a thread of its own: compressing never holds the event loop up."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
