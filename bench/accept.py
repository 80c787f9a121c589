"""How long after OpenAI's webhook the accept is at OpenAI, beside a view that only sends one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from standardwebhooks.webhooks import Webhook

from bench import stage
from bench.asking import post
from bench.street import Street
from bench.table import Figure, latency
from callops.calls import correlation
from callops.calls.models import Call
from callops.core import clock
from callops.core.config import config
from callops.core.database import in_db

CALLS, WARM_UP = 200, 10
GOAL_MS = 100.0


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """From `POST /webhooks/openai`, signed and with our own header, to the whole accept at the loopback OpenAI."""
    await in_db(stage.set_up)()
    ours, bare = [], []
    for number, call in enumerate(await in_db(stage.dialled)(CALLS + WARM_UP)):
        seconds = await _through_the_door(application, street, contracts, call), await _bare(application, street)
        if number >= WARM_UP:
            ours.append(seconds[0])
            bare.append(seconds[1])
    return latency("webhook to accept sent", ours, bare, "a view that only POSTs", goal_ms=GOAL_MS)


async def _through_the_door(application: Any, street: Street, contracts: Path, call: Call) -> float:
    ai_call_id = stage.fresh_ai_call_id()
    request = signed(contracts, call, ai_call_id)
    arrival, started = street.awaits("accept", ai_call_id), perf_counter()
    await post(application, "/webhooks/openai", status=200, **request)
    return await arrival.at() - started


async def _bare(application: Any, street: Street) -> float:
    ai_call_id = stage.fresh_ai_call_id()
    arrival, started = street.awaits("accept", ai_call_id), perf_counter()
    await post(application, f"/bench/accept/{ai_call_id}", status=200, headers={}, body=b"")
    return await arrival.at() - started


def signed(contracts: Path, call: Call, ai_call_id: str) -> dict[str, Any]:
    """The webhook of the contract, about a new AI call that names ours, as `headers` and `body`."""
    now, key = clock.now(), config().secret_key
    event = json.loads((contracts / "openai" / "webhook-realtime.call.incoming.json").read_text())
    event["created_at"] = int(now.timestamp())
    event["data"]["call_id"] = ai_call_id
    event["data"]["sip_headers"] += [
        {"name": correlation.REF_HEADER, "value": call.pk},
        {"name": correlation.SIG_HEADER, "value": correlation.sign(call.pk, key=key, at=now)},
    ]
    return _delivery(f"wh_{ai_call_id}", json.dumps(event), now)


def _delivery(delivery: str, body: str, now: datetime) -> dict[str, Any]:
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(config().openai_webhook_secrets[0]).sign(delivery, now, body),
    }
    return {"headers": headers, "body": body.encode()}
