"""Who may see and who may act: every page and every socket fetches through here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, resolve_url

from callops.calls.models import Call
from callops.people.roles import Right
from callops.people.standing import Scope, Standing, standing_of
from callops.transfers.models import TransferAttempt

WHY_NOT = {
    Right.ACT: "You may watch calls, but not transfer or end them.",
    Right.INTERVENE: "You may watch calls, but not speak into them.",
    Right.EXPORT: "You may not take evidence out of the house.",
    Right.KEEP_DESK: "Presets and prices are kept by administrators.",
    Right.REVEAL: "You may not read what was redacted.",
    Right.ADMINISTER: "This is for administrators.",
    Right.TYPE_NUMBER: "You may not agree to addresses that are not in the directory.",
}

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks, and a fragment is enough."""
    return request.headers.get("HX-Request") == "true"


def standing(request: HttpRequest) -> Standing:
    """Where the person who asks stands, read once for each request."""
    return standing_of(request.user)


def scope(request: HttpRequest) -> Scope:
    """Whose calls the person who asks sees."""
    return standing(request).scope


def may_see(user: Any) -> bool:
    """Any signed-in, active user may see calls: those of their lines."""
    return bool(user is not None and user.is_authenticated and user.is_active)


def may(request: HttpRequest, right: Right) -> bool:
    """Whether the person who asks has this right."""
    return standing(request).may(right)


def signed_in(view: View[P]) -> View[P]:
    """The view for those who may see; everybody else is led to sign-in and back here afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if may_see(request.user):
            return view(request, *args, **kwargs)
        login = resolve_url("dashboard:login")
        if is_htmx(request):
            return HttpResponse(status=401, headers={"HX-Redirect": login})
        return redirect_to_login(request.get_full_path(), login)

    return cast("View[P]", guarded)


def with_right(right: Right) -> Callable[[View[P]], View[P]]:
    """The view for those who have the right; 403 for those who may only see."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not may(request, right):
                raise PermissionDenied(WHY_NOT[right])
            return view(request, *args, **kwargs)

        return signed_in(cast("View[P]", guarded))

    return guard


def acting(view: View[P]) -> View[P]:
    """The view for those who may transfer, cancel and hang up."""
    return with_right(Right.ACT)(view)


def call(request: HttpRequest, call_id: str) -> Call:
    """The call with its line, also by an id it had before its halves were joined; 404 when it is none of theirs."""
    return get_object_or_404(scope(request).calls(Call.objects.known_as(call_id).select_related("line")))


def attempt(request: HttpRequest, call_id: str, transfer_id: str) -> TransferAttempt:
    """The transfer of that call, or 404."""
    calls = scope(request).calls(Call.objects.known_as(call_id))
    return get_object_or_404(TransferAttempt.objects.select_related("call__line"), pk=transfer_id, call__in=calls)


def user_of(request: HttpRequest) -> User:
    """The signed-in user of a guarded view."""
    return cast(User, request.user)
