"""The steps of a request are taken one after the other, none by way of the event loop."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.base import BaseHandler
from django.middleware.csrf import CsrfViewMiddleware
from django_htmx.middleware import HtmxMiddleware

from callops.core.one_thread import OneThread

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(path: str) -> int:
    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b"", "scheme": "http"}
    asked = ApplicationCommunicator(OneThread(), {**scope, "http_version": "1.1", "server": ("localhost", 80)})
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    status: int = (await asked.receive_output(timeout=5))["status"]
    return status


async def test_no_step_around_a_view_is_taken_by_way_of_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(self: Any, request: Any) -> Any:
        raise AssertionError("a step was taken asynchronously")

    monkeypatch.setattr(SessionMiddleware, "__acall__", refused)
    monkeypatch.setattr(HtmxMiddleware, "__acall__", refused)
    monkeypatch.setattr(BaseHandler, "_get_response_async", refused)

    assert await ask("/healthz") == 200


async def test_the_steps_before_a_view_and_the_view_are_taken_in_the_same_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def seen(work: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            threads.append(threading.get_ident())
            return work(*args, **kwargs)

        return noted

    monkeypatch.setattr(SessionMiddleware, "process_request", seen(SessionMiddleware.process_request))
    monkeypatch.setattr(CsrfViewMiddleware, "process_view", seen(CsrfViewMiddleware.process_view))
    monkeypatch.setattr(BaseHandler, "make_view_atomic", lambda self, view: seen(view))

    assert await ask("/healthz") == 200
    assert len(threads) == 3
    assert len({*threads, threading.get_ident()}) == 2
