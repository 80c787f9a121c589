"""The limits of the table in `core.doors`, for whatever reaches Django: 413 for size, 429 for rate.

What is too big or too slow on the wire is refused before it is read (`core.arriving`). The providers' doors and the
API count by themselves, after they know who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from callops.core import clock
from callops.core.doors import API, MACHINES, PROBES, Door, door_of, too_big, too_often
from callops.core.proxies import asker
from callops.core.rates import rates
from callops.dashboard import access, lost

BY_THEMSELVES = MACHINES - {PROBES}
"""Doors at which a rate is judged by what is genuine, not by who seems to ask."""


class Sizes:
    """Middleware: a body larger than its door takes is 413, and is not read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer of the house, or the refusal."""
        door = door_of(request.path)
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if length.isdecimal() and int(length[:18]) > door.body:
            return _said(door, 413, too_big(door)) or lost.too_big(request)
        return self._get_response(request)


class HowOften:
    """Middleware, after who asks is known: more requests within a minute than the door takes are 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer of the house, or the refusal with `Retry-After`."""
        door = door_of(request.path)
        if door in BY_THEMSELVES:
            return self._get_response(request)
        wait_s = rates.wait_s((door.name, _who(request, door)), door.a_minute, clock.now().timestamp())
        if not wait_s:
            return self._get_response(request)
        answer = _said(door, 429, too_often(wait_s)) or lost.too_often(request, wait_s)
        answer.headers["Retry-After"] = str(wait_s)
        return answer


def _who(request: HttpRequest, door: Door) -> Hashable:
    """The person, or the address of whoever did not sign in."""
    user: Any = None if door is PROBES else request.user
    return user.pk if access.may_see(user) else asker(request)


def _said(door: Door, status: int, why: str) -> HttpResponse | None:
    """A sentence for a machine; None where people ask, who get a page."""
    if door is API:
        return JsonResponse({"detail": why}, status=status)
    return HttpResponse(f"{why}\n", status=status, content_type="text/plain") if door in MACHINES else None
