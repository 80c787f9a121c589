"""What every page shows of the call-backs we owe: how many are open."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from callops.calls.models import CallBack


def call_backs(request: HttpRequest) -> dict[str, Any]:
    """The number of open call-backs for the navigation; counted only where a page shows it, with one query."""
    return {"call_backs_open": SimpleLazyObject(lambda: CallBack.objects.open().count())}
