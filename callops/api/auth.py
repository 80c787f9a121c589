"""Who asks: a bearer token, or a browser that is signed in and sends the CSRF token with what it changes."""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.security.session import SessionAuth
from ninja.throttling import BaseThrottle
from ninja.utils import check_csrf

from callops.api.tokens import user_of
from callops.core.clock import now
from callops.people.roles import Right
from callops.people.standing import standing_of

COMMANDS_A_MINUTE = 600
_WINDOW_S = 60

NO_CREDENTIALS = "Send a bearer token (manage.py create_api_token makes one), or sign in with the browser."
BAD_TOKEN = "This bearer token is not valid, or its user is not active."  # noqa: S105 - a sentence
NO_CSRF = "The CSRF token is missing or wrong: send it in the X-CSRFToken header, or use a bearer token."
NOT_ALLOWED = "You may look, but not transfer or hang up calls: that needs the permission to add transfers."


class SignedRequest(HttpRequest):
    """A request whose sender is known."""

    auth: User


class BearerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`; a wrong token is refused even when a session comes with it."""

    def __init__(self, permission: Right | None = None) -> None:
        self.permission = permission
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = user_of(token.strip(), now())
        if user is None:
            raise AuthenticationError(message=BAD_TOKEN)
        return _permitted(user, self.permission)


class BrowserSession(SessionAuth):
    """A signed-in session; nobody signed in is 401 before a missing CSRF token is 403."""

    def __init__(self, permission: Right | None = None) -> None:
        self.permission = permission
        APIKeyCookie.__init__(self, csrf=True)

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return None
        if check_csrf(request):
            raise HttpError(403, NO_CSRF)
        return _permitted(user, self.permission)


class PerPerson(BaseThrottle):
    """So many commands a minute from one person and one process, against scripts that run wild."""

    def allow_request(self, request: HttpRequest) -> bool:
        key = f"api.commands.{getattr(request, 'auth').pk}.{int(time.time() // _WINDOW_S)}"  # noqa: B009 - set by ninja
        return cache.add(key, 1, timeout=2 * _WINDOW_S) or cache.incr(key) <= COMMANDS_A_MINUTE

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return _WINDOW_S - time.time() % _WINDOW_S


def _permitted(user: User, permission: Right | None) -> User:
    if permission and not standing_of(user).may(permission):
        raise HttpError(403, NOT_ALLOWED)
    return user


READERS = [BearerToken(), BrowserSession()]
COMMANDERS = [BearerToken(Right.ACT), BrowserSession(Right.ACT)]
SPEAKERS = [BearerToken(Right.INTERVENE), BrowserSession(Right.INTERVENE)]
