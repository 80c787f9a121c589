"""Signed-in browsers: a session that is not used runs out, and the sockets opened in it close with it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from callops.core import clock

NOTED_EVERY_S: Final = 60
"""Use is written down once a minute, so that a page costs no write."""
BY_ITSELF: Final = "By-Itself"
"""The header of what a page asks for by itself: that is no use."""
_USED: Final = "used_at"


class Idle:
    """Middleware: what a person asks for keeps their session; it lives for `SESSION_COOKIE_AGE` from its last use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer of the house; the use is noted before, so that a session that ends with it stays ended."""
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if has_session and BY_ITSELF not in request.headers and request.user.is_authenticated:
            use(request.session, clock.now())
        return self._get_response(request)


def use(session: SessionBase, now: datetime) -> None:
    """The session is used now, to the minute; that it changed makes Django keep it from now on anew."""
    stamp = int(now.timestamp())
    if stamp - session.get(_USED, 0) >= NOTED_EVERY_S:
        session[_USED] = stamp


def forget_run_out(now: datetime) -> int:
    """Sessions that ran out leave no row behind; how many there were."""
    count, _ = Session.objects.filter(expire_date__lt=now).delete()
    return count


def living(keys: Collection[str], now: datetime) -> set[str]:
    """Those of the sessions that were neither signed out nor left unused too long. One query."""
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    return set(rows.values_list("session_key", flat=True))
