"""How long the carrier waits for its first document, beside an empty view of the same Django."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench import stage
from bench.asking import post
from bench.street import Street
from bench.table import Figure, latency
from callops.core.config import config
from callops.core.database import in_db

CALLS, WARM_UP = 300, 20
PATH = "/twiml/inbound"


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """`POST /twiml/inbound`, signed, each time for a new call; the empty view gets the same request."""
    await in_db(stage.set_up)()
    ours, bare = [], []
    for number in range(CALLS + WARM_UP):
        request = _signed(contracts)
        seconds = await _timed(application, PATH, request), await _timed(application, "/bench/empty", request)
        if number >= WARM_UP:
            ours.append(seconds[0])
            bare.append(seconds[1])
    return latency("TwiML answer", ours, bare, "an empty Django view")


async def _timed(application: Any, path: str, request: dict[str, Any]) -> float:
    started = perf_counter()
    await post(application, path, status=200, **request)
    return perf_counter() - started


def _signed(contracts: Path) -> dict[str, Any]:
    """The carrier's request of the contract, for a new call to our line, as `headers` and `body`."""
    form = json.loads((contracts / "twilio" / "voice-inbound.json").read_text())
    form |= {"CallSid": stage.fresh_sid(), "To": stage.NUMBER, "From": stage.CALLER}
    validator = RequestValidator(config().twilio_auth_tokens[0])
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": validator.compute_signature(config().public_url + PATH, form),
    }
    return {"headers": headers, "body": urlencode(form).encode()}
