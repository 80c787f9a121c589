"""Who in this process carries out transfers, and is told at once of one that was asked for here.

Only a hint. It is given when the wish is durable; whoever hears it claims as everybody does; the notification that goes
to every process says the same, so a hint that is lost, or heard by two, changes nothing but how soon somebody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from django.db import transaction

GoOn = Callable[[str], None]

_hearing: dict[GoOn, asyncio.AbstractEventLoop] = {}


def hear(go_on: GoOn) -> None:
    """From now on it is called in the event loop that runs now, with the id of every transfer that is asked for."""
    _hearing[go_on] = asyncio.get_running_loop()


def hear_no_more(go_on: GoOn) -> None:
    """It is not called any more."""
    _hearing.pop(go_on, None)


def tell(attempt_id: str) -> None:
    """Whoever hears in this process is told once the transaction is committed."""
    if _hearing:
        transaction.on_commit(partial(_told, attempt_id))


def _told(attempt_id: str) -> None:
    for go_on, loop in list(_hearing.items()):
        try:
            loop.call_soon_threadsafe(go_on, attempt_id)
        except RuntimeError:  # its loop is closed
            hear_no_more(go_on)
