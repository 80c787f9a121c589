"""The steps of a request are taken one after the other, none by way of the event loop."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import AsyncClient
from django_htmx.middleware import HtmxMiddleware

pytestmark = pytest.mark.django_db(transaction=True)


async def test_no_step_around_a_view_is_taken_by_way_of_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(self: Any, request: Any) -> Any:
        raise AssertionError("a step was taken asynchronously")

    monkeypatch.setattr(SessionMiddleware, "__acall__", refused)
    monkeypatch.setattr(HtmxMiddleware, "__acall__", refused)

    assert (await AsyncClient().get("/healthz")).status_code == 200
