"""What a call proves, to be handed on: the bundle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core.clock import now
from callops.dashboard import access
from callops.reports.bundle import bundle, file_name
from callops.reports.gathering import gather


@never_cache
@require_safe
@access.signed_in
def evidence_zip(request: HttpRequest, call_id: str) -> HttpResponse:
    """The evidence of the call as it is known now; telephone numbers only with `?numbers=1`."""
    record = gather(access.call(call_id), at=now())
    pieces = bundle(record, numbers=request.GET.get("numbers") == "1")
    headers = {"Content-Disposition": f'attachment; filename="{file_name(record)}"'}
    answer = StreamingHttpResponse(_beside(pieces), content_type="application/zip", headers=headers)
    return cast("HttpResponse", answer)


async def _beside(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made in a thread of its own: compressing never holds the event loop up."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
