"""How fast a wish becomes a request on the wire: click to REFER, and a passed deadline to redirect."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from bench import stage
from bench.asking import post
from bench.street import Street
from bench.table import Figure, latency
from callops.calls.models import Call
from callops.core import clock
from callops.core.config import config
from callops.core.database import in_db
from callops.engine.engine import Engine
from callops.engine.outside import reach
from callops.transfers.commands import cancel
from callops.transfers.models import TransferAttempt

TRANSFERS, WARM_UP = 100, 3
DEADLINE_S = 0.15
GOAL_MS = 100.0


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """One transfer after another: asked through the API, REFER sent by a running engine, unseen, then redirected."""
    await in_db(stage.set_up)(refer_deadline_s=DEADLINE_S)
    token = await in_db(stage.token)()
    calls = await in_db(stage.live)(TRANSFERS + WARM_UP)
    async with _engine():
        ours = [await _transfer(application, street, call, token) for call in calls]
    bare = await _bare_posts(street)
    refers, redirects = zip(*ours[WARM_UP:], strict=True)
    bare_refers, bare_redirects = zip(*bare[WARM_UP:], strict=True)
    return [
        *latency("click to REFER sent", refers, bare_refers, "a bare httpx POST", goal_ms=GOAL_MS),
        *latency("deadline to redirect sent", redirects, bare_redirects, "a bare httpx POST", goal_ms=GOAL_MS),
    ]


@contextlib.asynccontextmanager
async def _engine() -> AsyncIterator[None]:
    engine = Engine()
    running = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        await engine.stop()
        await running


async def _transfer(application: Any, street: Street, call: Call, token: str) -> tuple[float, float]:
    """Seconds from the click to the REFER, and from its deadline to the redirect; the transfer is over afterwards."""
    refer, redirect = street.awaits("refer", call.ai_call_id or ""), street.awaits("redirect", call.carrier_sid or "")
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    wish = json.dumps({"destination": stage.DESK}).encode()
    started = perf_counter()
    asked = asyncio.create_task(
        post(application, f"/api/calls/{call.pk}/transfers", status=202, headers=headers, body=wish)
    )
    referred = await refer.at() - started
    attempt_id = json.loads(await asked)["id"]
    deadline = await in_db(deadline_of)(attempt_id)
    redirected = await redirect.at() - on_our_clock(deadline)
    await in_db(end)(attempt_id)
    return referred, redirected


async def _bare_posts(street: Street) -> Sequence[tuple[float, float]]:
    """The same two requests with the clients the engine has, and nothing before them."""
    outside = reach(config())
    account = config().twilio_account_sid
    try:
        times = []
        for _ in range(TRANSFERS + WARM_UP):
            ai_call_id, sid = stage.fresh_ai_call_id(), stage.fresh_sid()
            wish = {"json": {"target_uri": "tel:+14155550110"}}
            refer = await _bare(
                street, outside.openai, "refer", ai_call_id, f"/realtime/calls/{ai_call_id}/refer", wish
            )
            form = {"data": {"Url": config().public_url, "Method": "POST"}}
            path = f"/2010-04-01/Accounts/{account}/Calls/{sid}.json"
            times.append((refer, await _bare(street, outside.twilio, "redirect", sid, path, form)))
        return times
    finally:
        await outside.close()


async def _bare(
    street: Street, http: httpx.AsyncClient, verb: str, of: str, path: str, content: dict[str, Any]
) -> float:
    arrival, started = street.awaits(verb, of), perf_counter()
    await http.post(path, **content)
    return await arrival.at() - started


def on_our_clock(moment: datetime) -> float:
    """A time of day as a reading of perf_counter."""
    return perf_counter() + (moment - clock.now()).total_seconds()


def deadline_of(attempt_id: str) -> datetime:
    """When the REFER should have been seen."""
    deadline = TransferAttempt.objects.get(pk=attempt_id).refer_deadline_at
    assert deadline is not None
    return deadline


def end(attempt_id: str) -> None:
    """Nothing of this transfer is left to do, so that it does not disturb the next one."""
    cancel(attempt=TransferAttempt.objects.get(pk=attempt_id), asked_by="bench", now=clock.now())
