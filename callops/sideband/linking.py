"""Halves joined by hand: who may be the other half of a call, and a person's word that puts the two together.

What a person says goes before a guess, and before what a person said earlier; a signed header and the carrier's own
word stand (design.md section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from callops.calls import merging
from callops.calls.models import Call, CallQuerySet
from callops.calls.words import Method, Topology
from callops.core.text import storable
from callops.sideband.joining import Word, put_together
from callops.sideband.models import AiSession

WINDOW = timedelta(minutes=10)
MAX_CANDIDATES = 20
WHY_CHARS = 200
REVISABLE = frozenset({Method.MANUAL, Method.NUMBERS_AND_TIME})
"""How halves were joined when a person may part them again."""

MOVED = "One of the two has changed meanwhile. Look at both again."

CARRIER = "carrier"
AI = "ai"


class LinkRefused(Exception):
    """The two calls cannot be joined; the message says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may have the other half."""

    call: Call
    distance_s: float
    """How much later than the one in question it began; negative: earlier."""
    same_number: bool


def missing_half(call: Call) -> str:
    """Which half of the call nobody knows: `carrier`, `ai`, or neither. A webhook still awaited is not missing."""
    if call.topology == Topology.TRUNK:
        return ""
    if not call.carrier_sid:
        return CARRIER if call.ai_call_id else ""
    waited = call.ai_dialled_at is not None and call.webhook_due_at is None
    return AI if waited and not call.ai_call_id else ""


def is_revisable(call: Call) -> bool:
    """Whether its halves were joined by a guess or by hand, so that a person may know better."""
    return bool(call.carrier_sid and call.ai_call_id) and call.correlation_method in REVISABLE


def candidates(call: Call) -> list[Candidate]:
    """Calls of the opposite kind that began within ten minutes of this one, nearest first. One query."""
    rows = _opposite(call).filter(started_at__range=(call.started_at - WINDOW, call.started_at + WINDOW))
    found = [
        Candidate(
            call=row,
            distance_s=(row.started_at - call.started_at).total_seconds(),
            same_number=bool(row.from_number) and row.from_number == call.from_number,
        )
        for row in rows.select_related("line").exclude(pk=call.pk)[:200]
    ]
    return sorted(found, key=lambda each: (not each.same_number, abs(each.distance_s)))[:MAX_CANDIDATES]


@transaction.atomic
def link_by_hand(*, call_id: str, other_id: str, by: str, now: datetime, why: str = "") -> str:
    """The two calls are one, whichever of them has the AI half; the id under which it is known. Said again: the same.

    Raises `LinkRefused` with the reason in a sentence.
    """
    one, other = _known(call_id), _known(other_id)
    if one.pk == other.pk:
        if call_id == other_id:
            raise LinkRefused("A call cannot be joined with itself.")
        return one.pk
    talking, waiting = _sides(one, other)
    session = AiSession.objects.select_for_update().filter(ai_call_id=talking.ai_call_id, call=talking).first()
    try:
        call, present = merging.both(waiting.pk, talking.pk)
    except KeyError:
        raise LinkRefused(MOVED) from None
    if session is None or present.ai_call_id != session.ai_call_id:
        raise LinkRefused(MOVED)
    if refusal := _why_not(call, present):
        raise LinkRefused(refusal)
    put_together(_word(session, call, present, by=by, why=storable(why)[:WHY_CHARS], now=now), present, call)
    return call.pk


def _known(call_id: str) -> Call:
    call = Call.objects.known_as(call_id).first()
    if call is None:
        raise LinkRefused("One of the two calls is not known.")
    return call


def _sides(one: Call, other: Call) -> tuple[Call, Call]:
    """The call whose AI half is to move, and the one that waits for it."""
    if not (one.ai_call_id or other.ai_call_id):
        raise LinkRefused("Neither of the two has an AI call, so there is nothing to join.")
    if one.ai_call_id and other.ai_call_id:
        raise LinkRefused("Both have an AI call, and a caller hears one assistant.")
    return (one, other) if one.ai_call_id else (other, one)


def _why_not(call: Call, present: Call) -> str:
    """Why the AI half of `present` cannot become the call's; empty when it can."""
    if call.ai_call_id:
        return MOVED
    if not call.carrier_sid:
        return "Neither of the two has a carrier leg, so there is nothing to join."
    if Topology.TRUNK in (call.topology, present.topology):
        return "A call on a trunk line has no other half: Twilio tells us nothing of it."
    if present.carrier_sid and present.correlation_method not in REVISABLE:
        return "The halves of the call with the AI were joined by better evidence than a guess; that stands."
    if present.has_open_transfer and (call.has_open_transfer or present.carrier_sid):
        return "A transfer is open. Join the halves when it is over."
    return ""


def _word(session: AiSession, call: Call, present: Call, *, by: str, why: str, now: datetime) -> Word:
    return Word(
        session=session,
        at=now,
        method=Method.MANUAL,
        merged=f"{by} said that these are the halves of one call: two calls became one.",
        moved=f"{by} said that this assistant is this call's, not that of {present.pk}.",
        lost=f"{by} said that the assistant that was here is call {call.pk}'s.",
        by=by,
        why=why,
    )


def _opposite(call: Call) -> CallQuerySet:
    """Calls with only the other half."""
    halves = Call.objects.filter(topology=Topology.TWIML)
    if call.ai_call_id:
        return halves.filter(ai_call_id__isnull=True, carrier_sid__isnull=False, ai_dialled_at__isnull=False)
    return halves.filter(ai_call_id__isnull=False, carrier_sid__isnull=True)
