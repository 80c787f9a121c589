"""Notes for the assistant of a call, over the channel layer: whichever process holds the sideband hands them over."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from callops.core.database import in_db
from callops.engine.sideband_consumer import ask
from callops.providers.openai import client_events
from callops.transfers import company
from callops.transfers.company import Note

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 2.0


async def keep_company(attempt_id: str, *, speak: bool, now: datetime) -> None:
    """The assistant that has the caller was told that they wait with it, unless it was told before."""
    note = await in_db(company.claim_waiting)(attempt_id, speak=speak, now=now)
    if note is not None:
        await _hand_over(note)


async def say_how_it_ended(attempt_id: str, *, now: datetime) -> None:
    """The assistant that still has the caller was told that nobody takes over, and goes on."""
    note = await in_db(company.claim_over)(attempt_id, now=now)
    if note is not None:
        await _hand_over(note)


async def _hand_over(note: Note) -> None:
    """The note is on its way; if it gets lost the transfer is none the worse for it."""
    item = client_events.system_message(note.words, item_id=note.item_id)
    messages: list[dict[str, Any]] = [{"type": "sideband.send", "event": item}]
    if note.speak:
        messages.append({"type": "sideband.send", "event": client_events.response_create(), "when_quiet": True})
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            for message in messages:
                await ask(note.call_id, message)
    except Exception as wrong:  # the layer's own errors are of many kinds, and none may hold a transfer up
        logger.warning("The assistant of %s could not be told: %r", note.call_id, wrong)
