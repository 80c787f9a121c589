"""What every page shows of the call-backs we owe: how many are open."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from callops.calls.models import CallBack
from callops.dashboard import access


def call_backs(request: HttpRequest) -> dict[str, Any]:
    """The number of open call-backs for the navigation; counted only where a page shows it, with one query."""
    return {"call_backs_open": SimpleLazyObject(lambda: _open(request))}


def _open(request: HttpRequest) -> int:
    return access.scope(request).calls(CallBack.objects.filter(done_at__isnull=True), "call__").count()
