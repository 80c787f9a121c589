"""Calls that are known later than a fact about them: the fact waits in the log of the doors until a leg has its SID.

An alert travels by itself, so it may overtake the request that makes its call known (contract Twilio 5).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event, EventQuerySet, Leg

WAITS = timedelta(minutes=10)
"""How much earlier than its call a fact may come."""


@transaction.atomic
def take_up(call_id: str, sid: str, *, now: datetime) -> int:
    """What the carrier raised about this leg before it was known is on the call's timeline. How many facts."""
    early = list(_waiting(now).filter(body__resource_sid=sid).select_for_update())
    if early:
        timeline.take_in(call_id, early)
    return len(early)


def take_up_all(*, now: datetime) -> None:
    """No fact waits for a leg that is known: one may have been written in the very moment in which its leg was."""
    for sid in {event.body.get("resource_sid") for event in _waiting(now)} - {None}:
        call = call_with(sid)
        if call is not None:
            take_up(call.pk, sid, now=now)


def call_with(sid: str) -> Call | None:
    """The call one of whose legs this is; a trunk's leg is known by the call's own SID only."""
    leg = Leg.objects.select_related("call").filter(sid=sid).first()
    return leg.call if leg else Call.objects.filter(carrier_sid=sid).first()


def _waiting(now: datetime) -> EventQuerySet:
    return Event.objects.of_no_call().filter(kind=Kind.CARRIER_ALERT, at__gte=now - WAITS).order_by("pk")
