"""Whose role needs a second factor (`MFA_REQUIRED_ROLES`) sees nothing before they have one: no page and no socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from callops.core.config import config
from callops.core.database import in_db
from callops.dashboard import access
from callops.people import groups
from callops.people.roles import Role

FREE: Final = ("/account/", "/login/", "/logout/", "/static/", "/healthz", "/readyz", "/metrics")
WHY: Final = "Your role needs a second factor. Add one on your account page first."


def is_missing(user: Any) -> bool:
    """Whether this signed-in person needs a second factor and has none."""
    needed = config().mfa_required_roles
    if not needed or not isinstance(user, User):
        return False
    role = Role.ADMINISTRATOR if user.is_superuser else groups.role_of(user) or Role.VIEWER
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return role.value in needed and not factors.exists()


class SecondFactor:
    """Middleware: leads to the account page; tokens of the API are not asked, they were made by command."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the house, or the way to the account page."""
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if not has_session or request.path.startswith(FREE) or not is_missing(request.user):
            return self._get_response(request)
        page = reverse("mfa_index")
        if access.is_htmx(request):
            return HttpResponse(status=401, headers={"HX-Redirect": page})
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": WHY}, status=403)
        return HttpResponseRedirect(page)


class Enrolled:
    """The same for sockets: nobody is signed in on one before they have the factor."""

    def __init__(self, inner: Callable[..., Awaitable[Any]]) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """The inner application, with the person or without."""
        if config().mfa_required_roles and await in_db(_is_missing)(scope.get("user")):
            scope = {**scope, "user": AnonymousUser()}
        return await self._inner(scope, receive, send)


def _is_missing(user: Any) -> bool:
    """Channels gives the person wrapped, to be looked up when used."""
    known = User.objects.filter(pk=getattr(user, "pk", None) or 0).first()
    return known is not None and is_missing(known)
