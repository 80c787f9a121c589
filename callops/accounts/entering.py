"""What follows a right password here: the second factor, if the person has one, and then the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import unstash_login
from allauth.account.models import Login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from callops.audit import chain, verbs
from callops.core.clock import now
from callops.dashboard import throttle
from callops.dashboard.models import FailedSignIn
from callops.dashboard.sign_in import address_of, wait_in_words

FOUND = 302


def enter(request: HttpRequest, user: User, attempt: FailedSignIn, wanted: str) -> HttpResponse:
    """The wanted page, or the question for the second factor before it. Wrong tries are forgiven only when it is in."""
    throttle.take_back(attempt)
    login = Login(user=user, redirect_url=wanted)
    answer: HttpResponse = perform_password_login(request, {"username": user.get_username()}, login)
    return answer


def tried(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view with its wrong codes and passwords counted as wrong passwords are: 422, and 429 after too many."""

    @never_cache
    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = _whose(request)
        if request.method != "POST" or not name:
            return view(request, *args, **kwargs)
        address = address_of(request)
        attempt = throttle.try_sign_in(name=name, address=address, now=now())
        if attempt is None:
            return _closed(request, throttle.closed_for(name=name, address=address, now=now()))
        answer = view(request, *args, **kwargs)
        if answer.status_code == FOUND:
            throttle.take_back(attempt)
            return answer
        chain.record(name, verbs.SIGN_IN_FAILED, now=now(), detail={"address": address, "by": "second factor"})
        answer.status_code = max(answer.status_code, 422)
        return answer

    return counted


def _whose(request: HttpRequest) -> str:
    """Whose password or code it is: of who is signed in, or of who is about to be."""
    if request.user.is_authenticated:
        return request.user.get_username()
    login = unstash_login(request, peek=True)
    return str(login.user.get_username()) if login and login.user else ""


def _closed(request: HttpRequest, wait_s: int) -> HttpResponse:
    answer = render(request, "429.html", {"wait": wait_in_words(wait_s)}, status=429)
    answer.headers["Retry-After"] = str(max(wait_s, 1))
    return answer
