"""Sign-in and sign-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from callops.audit import chain, verbs
from callops.core.clock import now
from callops.dashboard import access, throttle
from callops.dashboard.models import FailedSignIn
from callops.people.sessions import use

PAGE: Final = "dashboard/login.html"
Enter = Callable[[HttpRequest, User, FailedSignIn, str], HttpResponse]
"""What is done with somebody whose password was right: the request, the person, the try and where they want to go."""


def enter(request: HttpRequest, user: User, attempt: FailedSignIn, wanted: str) -> HttpResponse:
    """Signed in, and on the way to the page that was wanted."""
    with transaction.atomic():
        throttle.forgive(attempt)
        chain.record(user.get_username(), verbs.SIGN_IN, now=now(), detail={"address": attempt.address})
        login(request, user)
        use(request.session, now())
    return HttpResponseRedirect(wanted, status=303)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(
    request: HttpRequest, entering: Enter = enter, page: str = PAGE, offers: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Signed in and back where one came from; 422 for a wrong password, 429 after too many of them.

    A site with other ways in gives its own `entering`, its own `page` and what that one `offers`.
    """
    if request.method == "POST":
        return _try(request, entering, partial(_page, request, page, offers or {}))
    if access.may_see(request.user):
        return HttpResponseRedirect(_next(request))
    return _page(request, page, offers or {}, AuthenticationForm(request), status=200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The session is over."""
    if access.may_see(request.user):
        chain.record(access.user_of(request).get_username(), verbs.SIGN_OUT, now=now())
    logout(request)
    return redirect("dashboard:login", permanent=False)


def _try(request: HttpRequest, entering: Enter, page: Callable[..., HttpResponse]) -> HttpResponse:
    form = AuthenticationForm(request, data=request.POST)
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    if not (name.strip() and password):
        return page(form, status=422)
    address = address_of(request)
    attempt = throttle.try_sign_in(name=name, address=address, now=now())
    if attempt is None:
        wait_s = throttle.closed_for(name=name, address=address, now=now())
        return page(AuthenticationForm(request), status=429, wait_s=wait_s)
    if not form.is_valid():
        chain.record(name, verbs.SIGN_IN_FAILED, now=now(), detail={"address": address})
        return page(form, status=422)
    return entering(request, form.get_user(), attempt, _next(request))


def address_of(request: HttpRequest) -> str:
    """The browser's address, as far as it is kept."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def wait_in_words(wait_s: int) -> str:
    """`3 min 20 s`."""
    minutes, seconds = divmod(max(wait_s, 1), 60)
    return " ".join(word for word in (f"{minutes} min" * bool(minutes), f"{seconds} s" * bool(seconds)) if word)


def _page(
    request: HttpRequest,
    page: str,
    offers: Mapping[str, Any],
    form: AuthenticationForm,
    *,
    status: int,
    wait_s: int = 0,
) -> HttpResponse:
    closed = f"Too many wrong passwords. Try again in {wait_in_words(wait_s)}." if status == 429 else ""
    context = {**offers, "form": form, "closed": closed, "next": _next(request)}
    response = render(request, page, context, status=status)
    if closed:
        response.headers["Retry-After"] = str(max(wait_s, 1))
    return response


def _next(request: HttpRequest) -> str:
    """Where to go after sign-in: only ever a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else resolve_url("dashboard:board")
