"""Who asks: a bearer token, or a browser that is signed in and sends the CSRF token with what it changes."""

from __future__ import annotations

from collections.abc import Hashable

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.security.session import SessionAuth
from ninja.throttling import BaseThrottle
from ninja.utils import check_csrf

from callops.api.tokens import cause_of, user_of
from callops.core.clock import now
from callops.core.doors import API, COMMANDS_A_MINUTE, too_often
from callops.core.proxies import asker
from callops.core.rates import next_minute_s, rates
from callops.core.refusals import note
from callops.people.roles import Right
from callops.people.standing import standing_of

NO_CREDENTIALS = "Send a bearer token (manage.py create_api_token makes one), or sign in with the browser."
BAD_TOKEN = "This bearer token is not valid, or its user is not active."  # noqa: S105 - a sentence
NO_CSRF = "The CSRF token is missing or wrong: send it in the X-CSRFToken header, or use a bearer token."
NOT_ALLOWED = "You may look, but not transfer or hang up calls: that needs the permission to add transfers."


class TooMany(HttpError):
    """More was asked for within one minute than the door takes; `retry_s` in whole seconds."""

    def __init__(self, retry_s: int) -> None:
        super().__init__(429, too_often(retry_s))
        self.retry_s = retry_s


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
            _slow_down(("bad token", asker(request)), API.bad_a_minute)
            note(API, "the bearer token is not valid", cause_of(token), now())
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
        who = ("command", getattr(request, "auth").pk)  # noqa: B009 - set by ninja
        return not rates.wait_s(who, COMMANDS_A_MINUTE, now().timestamp())

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return next_minute_s(now().timestamp())


def _slow_down(who: Hashable, limit: int | None) -> None:
    if wait_s := rates.wait_s(who, limit, now().timestamp()):
        raise TooMany(wait_s)


def _permitted(user: User, permission: Right | None) -> User:
    _slow_down((API.name, user.pk), API.a_minute)
    if permission and not standing_of(user).may(permission):
        raise HttpError(403, NOT_ALLOWED)
    return user


READERS = [BearerToken(), BrowserSession()]
COMMANDERS = [BearerToken(Right.ACT), BrowserSession(Right.ACT)]
SPEAKERS = [BearerToken(Right.INTERVENE), BrowserSession(Right.INTERVENE)]
