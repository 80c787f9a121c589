"""What every page shows in its navigation: how many call-backs are open, and what is for administrators."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from callops.calls.models import CallBack
from callops.core.config import config
from callops.dashboard import access
from callops.people.roles import Right


def call_backs(request: HttpRequest) -> dict[str, Any]:
    """The number of open call-backs for the navigation; counted only where a page shows it, with one query."""
    return {
        "call_backs_open": SimpleLazyObject(lambda: _open(request)),
        "may_reveal": SimpleLazyObject(lambda: access.may(request, Right.REVEAL)),
        "has_account_page": config().accounts,
        "may_act": SimpleLazyObject(lambda: access.may(request, Right.ACT)),
        "may_administer": SimpleLazyObject(lambda: access.may(request, Right.ADMINISTER)),
    }


def _open(request: HttpRequest) -> int:
    return access.scope(request).calls(CallBack.objects.filter(done_at__isnull=True), "call__").count()
