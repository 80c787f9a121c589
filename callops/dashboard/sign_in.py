"""Sign-in and sign-out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
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
from callops.people.sessions import use

CLOSED = "Too many wrong passwords. Sign-in is closed for up to five minutes; then try again."


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Signed in and back where one came from; 422 for a wrong password, 429 after too many of them."""
    if request.method == "POST":
        return _try(request)
    if access.may_see(request.user):
        return HttpResponseRedirect(_next(request))
    return _page(request, AuthenticationForm(request), status=200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The session is over."""
    if access.may_see(request.user):
        chain.record(access.user_of(request).get_username(), verbs.SIGN_OUT, now=now())
    logout(request)
    return redirect("dashboard:login", permanent=False)


def _try(request: HttpRequest) -> HttpResponse:
    form = AuthenticationForm(request, data=request.POST)
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    if not (name.strip() and password):
        return _page(request, form, status=422)
    address = str(request.META.get("REMOTE_ADDR", ""))[:64]
    attempt = throttle.try_sign_in(name=name, address=address, now=now())
    if attempt is None:
        return _page(request, AuthenticationForm(request), status=429, closed=CLOSED)
    if not form.is_valid():
        chain.record(name, verbs.SIGN_IN_FAILED, now=now(), detail={"address": address})
        return _page(request, form, status=422)
    with transaction.atomic():
        throttle.forgive(attempt)
        chain.record(form.get_user().get_username(), verbs.SIGN_IN, now=now(), detail={"address": address})
        login(request, form.get_user())
        use(request.session, now())
    return HttpResponseRedirect(_next(request), status=303)


def _page(request: HttpRequest, form: AuthenticationForm, *, status: int, closed: str = "") -> HttpResponse:
    context = {"form": form, "closed": closed, "next": _next(request)}
    response = render(request, "dashboard/login.html", context, status=status)
    if closed:
        response.headers["Retry-After"] = str(int(throttle.WINDOW.total_seconds()))
    return response


def _next(request: HttpRequest) -> str:
    """Where to go after sign-in: only ever a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else resolve_url("dashboard:board")
