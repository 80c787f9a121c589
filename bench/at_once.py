"""Transfers one at a time and fifty at once: click to REFER, deadline to redirect, witness to transfer document."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench import stage
from bench.asking import post
from bench.street import Street
from bench.table import Figure, percentile
from callops.calls.addresses import of_call
from callops.calls.models import Call
from callops.core import clock
from callops.core.config import config
from callops.core.database import in_db
from callops.engine.engine import Engine
from callops.transfers.commands import TooLate, cancel
from callops.transfers.models import TransferAttempt

CROWD, ROUNDS, WARM_UP = 50, 2, 3
DEADLINE_S = 0.5
Times = tuple[float, float]


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """Half of the calls wait for a redirect; of the others the carrier reports the REFER and is answered."""
    await in_db(stage.set_up)(refer_deadline_s=DEADLINE_S)
    token = await in_db(stage.token)()
    async with _engine():
        await _round(application, street, token, 1, WARM_UP)
        alone = await _round(application, street, token, 1, CROWD)
        crowd = await _round(application, street, token, CROWD, ROUNDS)
    names = ("click to REFER sent", "deadline to redirect sent", "REFER witness to transfer document")
    rows = zip(names, zip(*alone, strict=True), zip(*crowd, strict=True), strict=True)
    return [figure for name, one, many in rows for figure in _figures(name, one, many)]


def _figures(name: str, alone: Sequence[float], crowd: Sequence[float]) -> list[Figure]:
    """The crowd's median and p99 beside those of transfers that had the engine to themselves."""
    figures = []
    for share, word in ((0.5, "median"), (0.99, "p99")):
        many, one = percentile(crowd, share), percentile(alone, share)
        value, beside = f"{many * 1000:.1f} ms", f"one at a time, {word}: {one * 1000:.1f} ms"
        figures.append(Figure(what=f"{name}, {CROWD} at once, {word}", value=value, ratio=many / one, beside=beside))
    return figures


async def _round(
    application: Any, street: Street, token: str, at_once: int, times: int
) -> list[tuple[float, float, float]]:
    taken: list[tuple[float, float, float]] = []
    for _ in range(times):
        calls = await in_db(stage.live)(2 * at_once)
        unseen, seen = calls[:at_once], calls[at_once:]
        redirected = await asyncio.gather(*(_unseen(application, street, call, token) for call in unseen))
        witnessed = await asyncio.gather(*(_seen(application, street, call, token) for call in seen))
        taken += [(refer, redirect, answer) for (refer, redirect), answer in zip(redirected, witnessed, strict=True)]
    return taken


async def _unseen(application: Any, street: Street, call: Call, token: str) -> Times:
    """Seconds from the click to the REFER, and from its deadline to the redirect."""
    refer, redirect = street.awaits("refer", call.ai_call_id or ""), street.awaits("redirect", call.carrier_sid or "")
    started = perf_counter()
    attempt_id = await _ask(application, call, token)
    referred = await refer.at() - started
    attempt = await in_db(TransferAttempt.objects.get)(pk=attempt_id)
    assert attempt.refer_deadline_at is not None
    until_deadline_s = (attempt.refer_deadline_at - clock.now()).total_seconds()
    due = perf_counter() + until_deadline_s
    redirected = await redirect.at() - due
    await in_db(_end)(attempt_id)
    return referred, redirected


async def _seen(application: Any, street: Street, call: Call, token: str) -> float:
    """Seconds from the carrier's report of the REFER to our transfer document."""
    refer = street.awaits("refer", call.ai_call_id or "")
    attempt_id = await _ask(application, call, token)
    await refer.at()
    url = of_call("refer", call)
    form = {"CallSid": call.carrier_sid or "", "CallStatus": "in-progress", "From": stage.CALLER, "To": stage.NUMBER}
    form["ReferTransferTarget"] = "<tel:+14155550110>"
    signature = RequestValidator(config().twilio_auth_tokens[0]).compute_signature(url, form)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    path, started = url.removeprefix(config().public_url), perf_counter()
    answer = await post(application, path, status=200, headers=headers, body=urlencode(form).encode())
    took = perf_counter() - started
    assert b"<Dial" in answer
    await in_db(_end)(attempt_id)
    return took


async def _ask(application: Any, call: Call, token: str) -> str:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    wish = json.dumps({"destination": stage.DESK}).encode()
    answer = await post(application, f"/api/calls/{call.pk}/transfers", status=202, headers=headers, body=wish)
    return str(json.loads(answer)["id"])


def _end(attempt_id: str) -> None:
    with contextlib.suppress(TooLate):
        cancel(attempt=TransferAttempt.objects.get(pk=attempt_id), asked_by="bench", now=clock.now())


@contextlib.asynccontextmanager
async def _engine() -> AsyncIterator[None]:
    engine = Engine()
    running = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        await engine.stop()
        await running
