"""Who in this process carries out transfers, and does so at once with one that is asked for here.

The first step of such a transfer is taken in the transaction of the wish: a claim as any other (`taking`), durable with
the wish or not at all, and carried out once both are. Whoever dies in between leaves what every process leaves that
died after a claim. Of a transfer that is asked for where nobody carries out any, engines hear by notification.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from callops.core import ear, precedence
from callops.core.notify import announce
from callops.transfers import taking
from callops.transfers.held import Held
from callops.transfers.taking import Taken

logger = logging.getLogger(__name__)

CarryOut = Callable[[Taken], None]

GROUP = "callops.wishes"
"""To whom transfers are announced that wait for their first step."""

_carrying: dict[CarryOut, asyncio.AbstractEventLoop] = {}


def carry(carry_out: CarryOut) -> None:
    """From now on it is called in the event loop that runs now, with the first step of every transfer that is asked for
    in this process; of several one is.
    """
    _carrying[carry_out] = asyncio.get_running_loop()


def carry_no_more(carry_out: CarryOut) -> None:
    """No further step is taken for it; it is still called with those that were."""
    _carrying.pop(carry_out, None)


def coming() -> None:
    """A transfer is about to be asked for: where nobody here carries it out, engines make room for it."""
    if _who_carries_out() is None:
        precedence.ask_others()


def begin(held: Held, *, now: datetime) -> None:
    """The first step of the transfer in hand is taken if somebody carries out transfers here, who is told on commit;
    else engines are told that it waits.
    """
    who = _who_carries_out()
    if who is None:
        announce(GROUP, [held.attempt.pk])
    elif (taken := taking.stepped(held, now)) is not None:
        transaction.on_commit(partial(_tell, *who, taken))


async def listen(go_on: Callable[[str], None]) -> None:
    """It is called with the id of every transfer that is asked for where nobody carries out any; until cancelled.

    Only a hint, which may be lost or heard by several: whoever hears it claims as everybody does.
    """

    def take(message: dict[str, Any]) -> None:
        for attempt_id in message.get("calls", ()):
            go_on(str(attempt_id))

    await ear.listen([GROUP], take)


def _who_carries_out() -> tuple[CarryOut, asyncio.AbstractEventLoop] | None:
    return next(((each, loop) for each, loop in list(_carrying.items()) if loop.is_running()), None)


def _tell(carry_out: CarryOut, loop: asyncio.AbstractEventLoop, taken: Taken) -> None:
    try:
        loop.call_soon_threadsafe(carry_out, taken)
    except RuntimeError:  # its loop was closed meanwhile
        logger.warning("What was claimed for %s is not carried out; it goes on when overdue.", taken.attempt.pk)
