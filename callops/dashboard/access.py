"""Who may see and who may act: every page and every socket fetches through here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, resolve_url

from callops.calls.models import Call
from callops.transfers.models import TransferAttempt

ACT = "transfers.add_transferattempt"
TYPE = "transfers.type_number"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks, and a fragment is enough."""
    return request.headers.get("HX-Request") == "true"


def may_see(user: Any) -> bool:
    """Any signed-in, active user may see every call."""
    return bool(user is not None and user.is_authenticated and user.is_active)


def who_may_see(user_ids: Collection[int]) -> set[int]:
    """Which of these users may see calls now. One query."""
    return set(User.objects.filter(pk__in=user_ids, is_active=True).values_list("pk", flat=True))


def may_act(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the user may transfer, cancel and hang up."""
    return isinstance(user, User) and user.has_perm(ACT)


def may_type(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the user may send callers to an address that is not in the directory, and agree to others doing so."""
    return may_act(user) and isinstance(user, User) and user.has_perm(TYPE)


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


def acting(view: View[P]) -> View[P]:
    """The view for those who may act; 403 for those who may only see."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not may_act(request.user):
            raise PermissionDenied("You may watch calls, but not transfer or end them.")
        return view(request, *args, **kwargs)

    return signed_in(cast("View[P]", guarded))


def call(call_id: str) -> Call:
    """The call with its line, also by an id it had before its halves were joined, or 404."""
    return get_object_or_404(Call.objects.known_as(call_id).select_related("line"))


def attempt(call_id: str, transfer_id: str) -> TransferAttempt:
    """The transfer of that call, or 404."""
    calls = Call.objects.known_as(call_id)
    return get_object_or_404(TransferAttempt.objects.select_related("call__line"), pk=transfer_id, call__in=calls)


def user_of(request: HttpRequest) -> User:
    """The signed-in user of a guarded view."""
    return cast(User, request.user)
