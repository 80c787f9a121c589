"""Pages for what went wrong: each says what is so, why, and what one can do. None of them needs the database."""

from __future__ import annotations

import sys
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from callops.core.database import AWAY

AGAIN_S: Final = 5
TOO_BIG: Final = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
MACHINES: Final = ("/twiml/", "/webhooks/", "/api/")
"""Whoever asks there is no person: carriers and scripts act by the status they have always been given."""


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while the database is away or cannot write, else 500. Django calls this where it caught the error."""
    error = sys.exc_info()[1]
    if isinstance(error, AWAY) and not request.path.startswith(MACHINES):
        full = "full" in str(error).lower()
        answer = _page("503.html", status=503, full=full, again=request.get_full_path() if _may_repeat(request) else "")
        answer.headers["Retry-After"] = str(AGAIN_S)
        return answer
    return _page("500.html", status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for what is too big to be taken, else 400."""
    return too_big(request) if isinstance(exception, TOO_BIG) else _page("400.html", status=400)


def too_big(request: HttpRequest) -> HttpResponse:
    """413 for a form that is larger than any of ours."""
    return _page("413.html", status=413)


def too_often(request: HttpRequest, wait_s: int) -> HttpResponse:
    """429 for somebody whose pages ask without an end; a part of a page stays as it is meanwhile."""
    answer = _page("too_often.html", status=429, wait_s=wait_s)
    answer.headers["HX-Reswap"] = "none"
    return answer


def _may_repeat(request: HttpRequest) -> bool:
    return request.method == "GET"


def _page(template: str, *, status: int, **context: Any) -> HttpResponse:
    """Never cached: what is wrong now may be right in a moment."""
    return HttpResponse(render_to_string(template, context), status=status, headers={"Cache-Control": "no-store"})
