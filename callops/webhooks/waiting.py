"""While the database is away no caller is lost: the carrier holds them and asks again, and in the end rings by heart.

The carrier repeats only what it says in every request, so what the first one said of a dial, a key or a REFER goes
along in the address, which is signed. Nothing here touches the database; what happened meanwhile is in the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from callops.core.config import config
from callops.providers.numbers import number_in
from callops.providers.twilio import documents
from callops.transfers.destinations import Target
from callops.webhooks import answers

logger = logging.getLogger(__name__)

PAUSE_S: Final = 3
"""Beside the 5 s after which a request is told that there is no database (`site.shapes.POOL`)."""
BEFORE_HEART: Final = 3
"""How often a new caller waits before the line's fallback is rung by heart, where this process knows it."""
AT_MOST: Final = 8
"""How often anybody waits, about a minute, before they hear an apology."""

WAITED: Final = "waited"
WAS: Final = "was."
CARRIED: Final = (
    *("DialCallStatus", "DialCallSid", "DialBridged", "DialSipResponseCode", "DialCallDuration"),
    *("ReferTransferTarget", "Digits", "ErrorCode"),
)
"""What the carrier says once (contract Twilio 1.1 to 2.4)."""
TELLING: Final = frozenset({"leg", "human_leg", "rescue_leg", "status", "debugger"})
"""Doors whose answer steers nothing: the carrier is told to come again, and is asked for what it said (law 3)."""

_by_heart: dict[str, tuple[Target, ...]] = {}


def learn(number: str, chain: tuple[Target, ...]) -> None:
    """Whom this line rings when all else fails is known by heart, as it was just read."""
    _by_heart[number] = chain


def said(request: HttpRequest) -> dict[str, str]:
    """The form; in a request that `hold` caused, also what only the first one said."""
    form = request.POST if request.method == "POST" else request.GET
    before = {name: request.GET[WAS + name] for name in CARRIED if WAS + name in request.GET}
    return {**before, **{name: form[name] for name in form}}


def hold(request: HttpRequest, form: Mapping[str, str]) -> str | None:
    """The document for a caller at a door that cannot be answered now; None where an answer steers nothing."""
    door = request.resolver_match.url_name if request.resolver_match else ""
    if door in TELLING:
        return None
    waited = _count(request.GET.get(WAITED, ""))
    chain = _by_heart.get(number_in(form.get("To")) or "", ()) if door == "inbound" else ()
    if waited < (BEFORE_HEART if chain else AT_MOST):
        return documents.bridge_then_redirect(_again(request, form, waited + 1), PAUSE_S)
    logger.error("A caller was led on without the database, which was away too long: %s.", form.get("CallSid", ""))
    if not chain:
        return answers.nobody()
    return documents.ring_by_heart([target.uri for target in chain], config().public_url + reverse("twiml:rung"))


def _again(request: HttpRequest, form: Mapping[str, str], waited: int) -> str:
    """The same door, with what the carrier will not say again."""
    kept = {name: value for name, value in request.GET.items() if name != WAITED and not name.startswith(WAS)}
    carried = {WAS + name: form[name] for name in CARRIED if name in form}
    return f"{config().public_url}{request.path}?{urlencode({**kept, WAITED: waited, **carried})}"


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
