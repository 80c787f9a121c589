"""OpenAI's door: verify, keep, join, decide, answer; nothing slow before the accept (contract OpenAI 1.4, 1.5)."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane, Runtime
from callops.core import clock
from callops.core.beats import OPENAI_WEBHOOK, beat
from callops.core.config import config
from callops.core.counters import bump
from callops.core.database import in_db
from callops.core.ids import new_token
from callops.core.logs import about_call
from callops.core.text import storable
from callops.providers import openai
from callops.providers.numbers import number_in
from callops.providers.openai import calls, sip_headers, webhook
from callops.providers.openai.webhook import WebhookEvent
from callops.providers.told import Told, told
from callops.sideband import acceptance, arrivals, deciding
from callops.sideband.acceptance import Decision
from callops.sideband.models import AiSession
from callops.webhooks import gate
from callops.webhooks.refusing import unsigned_openai

ACCEPT_TIMEOUT_S = 4.5
POLL_S = 0.1
OWNER = f"door-{new_token()[:12]}"


@csrf_exempt
@require_POST
async def receive(request: HttpRequest) -> HttpResponse:
    """200 for every event that is OpenAI's, known or not; 400 for a bad signature, a stale timestamp, a broken body."""
    at = clock.now()
    body = request.body
    try:
        webhook.verify(config().openai_webhook_secrets, headers=request.headers, body=body, now=at)
        event = webhook.parse(body)
    except webhook.BadSignature as refusal:
        return await in_db(unsigned_openai)(request, refusal, at)
    except webhook.Malformed as problem:
        return await _unreadable(str(problem), at)
    delivery = request.headers.get("webhook-id") or event.id
    if event.call_id is None or event.runtime != "realtime":
        await in_db(_keep)(event, delivery, at)
        await in_db(beat)(OPENAI_WEBHOOK, at)
        return HttpResponse(status=200)
    news = _announcement(event, event.call_id, delivery, at, gate.kept_headers(request))
    arrival = await in_db(acceptance.arrive)(news, key=config().secret_key, owner=OWNER, at=at, clock=clock.now)
    with about_call(arrival.call_id):
        await _decide(arrival.session_id, arrival.decision)
    await in_db(beat)(OPENAI_WEBHOOK, at)
    return HttpResponse(status=200)


async def _decide(session_id: int, decision: Decision | None) -> None:
    """One process accepts. A redelivery waits for the decider, and takes over when that one is dead."""
    while decision is None:
        now = clock.now()
        why = await in_db(_why_not)(session_id, now)
        if why is not None:
            await in_db(acceptance.held_back)(session_id, at=now, cause=why[0], why=why[1])
            return
        if await in_db(acceptance.is_decided)(session_id):
            return
        decision = await in_db(acceptance.claim)(session_id, owner=OWNER, now=now)
        if decision is None:
            await asyncio.sleep(POLL_S)
    accept = functools.partial(_accept, _client(asyncio.get_running_loop()))
    await deciding.carry_out(decision, accept=accept, clock=clock.now)


def _why_not(session_id: int, now: datetime) -> tuple[str, str] | None:
    """Why nobody may accept this call, as cause and sentence; None when the only reason is another decider."""
    session = AiSession.objects.select_related("call").get(pk=session_id)
    if acceptance.is_decided(session.pk):
        return None
    if acceptance.is_too_old(session, now):
        age_s = (now - session.created_at).total_seconds()
        return "too_old", f"The webhook is {age_s:.0f} s old; its call is dead."
    if acceptance.is_pointless(session.call.state):
        return "caller_gone", "The caller is gone already."
    if arrivals.answering_line(session.call) is None:
        return "no_line", "The number the caller dialled is not known, so no line can answer."
    return None


async def _accept(http: httpx.AsyncClient, ai_call_id: str, payload: Mapping[str, Any]) -> Told:
    return await told(calls.accept(http, ai_call_id, payload, timeout_s=ACCEPT_TIMEOUT_S))


@functools.lru_cache(maxsize=4)
def _client(loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
    """One pool of connections for each event loop, so that an accept finds one open."""
    return openai.client(config().openai_base_url, config().openai_api_key)


async def _unreadable(reason: str, at: datetime) -> HttpResponse:
    await in_db(bump)("refused.openai_body", at, reason)
    return HttpResponse(f"This delivery was not taken: {reason}.\n", status=400, content_type="text/plain")


def _keep(event: WebhookEvent, delivery: str, at: datetime) -> None:
    timeline.log(
        at=at,
        kind=Kind.OPENAI_WEBHOOK,
        lane=Lane.OPENAI,
        body={"type": event.type, "raw": event.raw},
        source="openai",
        source_id=delivery,
    )


def _announcement(
    event: WebhookEvent, call_id: str, delivery: str, at: datetime, received: dict[str, str]
) -> arrivals.Announcement:
    created_at = datetime.fromtimestamp(event.created_at, UTC) if event.created_at else at
    return arrivals.Announcement(
        webhook_id=delivery,
        type=event.type,
        ai_call_id=call_id,
        runtime=Runtime.REALTIME,
        created_at=created_at,
        received=storable(received),
        headers=tuple((storable(header.name), storable(header.value)) for header in event.sip_headers),
        caller=number_in(sip_headers.first(event.sip_headers, "From")),
        dialled=number_in(sip_headers.first(event.sip_headers, "To")),
    )
