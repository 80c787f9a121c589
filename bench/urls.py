"""Every address of the application, and beside them the bare views it is compared with."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import httpx
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from callops.core.config import config
from callops.providers import openai
from callops.sideband.payload import session_payload


@csrf_exempt
def empty(request: HttpRequest) -> HttpResponse:
    """Nothing but the framework: the same middleware, an empty answer."""
    return HttpResponse()


@csrf_exempt
async def accept_at_once(request: HttpRequest, ai_call_id: str) -> HttpResponse:
    """An accept without any thought: no signature, no database, one POST with the client that the real door has."""
    await _client(asyncio.get_running_loop()).post(f"/realtime/calls/{ai_call_id}/accept", json=_payload())
    return HttpResponse()


@functools.cache
def _payload() -> dict[str, Any]:
    return session_payload(model="gpt-realtime-2.1", voice="marin", instructions="", choices=[], told="")


@functools.lru_cache(maxsize=1)
def _client(loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
    return openai.client(config().openai_base_url, config().openai_api_key)


urlpatterns = [
    path("bench/empty", empty),
    path("bench/accept/<slug:ai_call_id>", accept_at_once),
    path("", include("callops.site.urls")),
]
