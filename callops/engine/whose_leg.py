"""Asking the carrier whose leg an INVITE came on, when nothing better than a guess joined the halves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from callops.core.database import in_db
from callops.engine.outside import Outside
from callops.providers.receipt import ProviderError
from callops.sideband import joining

logger = logging.getLogger(__name__)


async def ask(outside: Outside, session_id: int, sid: str, *, clock: Callable[[], datetime]) -> None:
    """The carrier's word is acted on; without an answer the question stays open for a later look, up to three times.

    One leg is read (contract Twilio 3.4). `sid` is untrusted text: what is no identifier is never sent.
    """
    if not await in_db(joining.claim)(session_id, clock()):
        return
    try:
        found = await outside.look_up(sid)
    except (ProviderError, ValueError) as error:
        logger.warning("The carrier could not be asked whose leg %.80r is: %s", sid, error)
        return
    await in_db(joining.carrier_says)(session_id, sid=sid, parent_sid=found.parent_sid, now=clock())
