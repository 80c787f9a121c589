"""What we believe live, compared with the carrier: callbacks that were lost never leave a call wrong for longer.

One list of live legs answers for all calls (contract Twilio 3.4); only a call whose leg is not in it is asked about
by itself, and only that answer changes anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db.models import Q

from callops.calls import belated
from callops.calls.models import Call
from callops.calls.words import Topology
from callops.core import beats
from callops.core.database import in_db
from callops.engine.outside import Outside
from callops.providers.receipt import ProviderError
from callops.sideband import acceptance

logger = logging.getLogger(__name__)

TURN = "reconcile"
EVERY = timedelta(seconds=60)
SETTLED = timedelta(seconds=5)
"""A call younger than this may not be in the carrier's list yet."""


def is_our_turn(now: datetime, *, at_start: bool) -> bool:
    """An engine that starts always looks, since nobody may have for a while; then one of all engines every minute."""
    return beats.take_turn(TURN, now, every=timedelta() if at_start else EVERY)


async def reconcile(outside: Outside, *, clock: Callable[[], datetime]) -> None:
    """Every unfinished call either is live at the carrier, or the carrier is asked about it now."""
    asked_at = clock()
    await in_db(acceptance.close_never_accepted)(asked_at)
    await in_db(beats.forget_the_dead)(asked_at)
    await in_db(belated.take_up_all)(now=asked_at)
    if not await in_db(_believed_live)(asked_at):
        return
    try:
        live = await outside.live_calls()
    except (ProviderError, ValueError) as error:
        logger.warning("The carrier would not list its live calls: %s", error)
        return
    await in_db(_question)(live, asked_at)


def _believed_live(asked_at: datetime) -> dict[str, str]:
    """Calls with a leg we could ask about and no question open already, as call and SID."""
    rested = Q(carrier_check_at__isnull=True) | Q(carrier_check_at__gt=asked_at + EVERY)
    calls = Call.objects.unfinished().filter(
        rested, topology=Topology.TWIML, carrier_sid__isnull=False, started_at__lte=asked_at - SETTLED
    )
    return {pk: sid or "" for pk, sid in calls.values_list("pk", "carrier_sid")}


def _question(live: Collection[str], asked_at: datetime) -> None:
    doubtful = [pk for pk, sid in _believed_live(asked_at).items() if sid not in live]
    Call.objects.filter(pk__in=doubtful).update(carrier_check_at=asked_at, carrier_checks=0)
