"""Facts come in here: written once, put on their call, and the call's state judged again, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from callops.calls import belated, judging, stages, timeline
from callops.calls.kinds import Kind
from callops.calls.lifecycle import LegFact, forward
from callops.calls.models import Call, Event, Leg, Line
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane, LegStatus, Role, State, Topology
from callops.core import few_rows
from callops.core.ids import new_id, new_token
from callops.core.notify import call_changed
from callops.core.text import storable

NUMBER_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNews:
    """What the carrier said of one leg."""

    sid: str
    role: Role
    status: LegStatus
    parent_sid: str = ""
    sip_code: int | None = None
    screened: bool = False
    """Its far end is asked to press 1 before anybody is bridged."""
    accepted: bool = False
    """The key was pressed."""
    looked_up: bool = False
    """We asked; the carrier did not tell it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(NewEvent):
    """A fact, and the fields of its call that it settles, unless it is a repetition."""

    changes: Mapping[str, Any] = field(default_factory=dict)


def settle(
    call: Call, facts: Sequence[Fact], *, now: datetime, legs: Sequence[Leg] | None = None
) -> list[Event | None]:
    """The facts are on the timeline of a call that is locked (`judging`), once, with all that follows for its state.

    `legs` are the call's, where they were read before. None in the place of a fact that was a repetition; if all are,
    nothing is changed.
    """
    stored = _judged_fields(call)
    events = timeline.write(call, facts)
    told = [fact for fact, event in zip(facts, events, strict=True) if event]
    if told:
        _conclude(call, stored, told, judging.legs_of(call) if legs is None else legs, now)
    return events


@transaction.atomic(savepoint=False)
def record(
    call_id: str,
    *,
    at: datetime,
    kind: Kind,
    lane: Lane,
    body: Mapping[str, Any] | None = None,
    source: str = "",
    source_id: str | None = None,
    legs: Sequence[LegNews] = (),
    changes: Mapping[str, Any] | None = None,
) -> Event | None:
    """The fact is on the call's timeline once, with all that follows from it for legs and state.

    `changes` are fields of the call that this fact settles. None when the provider repeated itself; nothing is changed.
    """
    call = judging.lock(call_id)
    fact = Fact(at=at, kind=kind, lane=lane, body=body or {}, source=source, source_id=source_id, changes=changes or {})
    stored = _judged_fields(call)
    (event,) = timeline.write(call, [fact])
    if event is None:
        return None
    if legs:
        stored |= _moved(call, legs, at)
    _conclude(call, stored, [fact], judging.legs_of(call), at)
    return event


def note(
    call_id: str, *, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any], legs: Sequence[LegNews]
) -> Event:
    """A fact that has no identity at its source is on the timeline, and the legs it tells of are moved."""
    return cast(Event, record(call_id, at=at, kind=kind, lane=lane, body=body, legs=legs))


@transaction.atomic
def inbound(
    *,
    call_sid: str,
    from_number: str,
    to_number: str,
    params: Mapping[str, Any],
    at: datetime,
    source_id: str,
    kind: Kind = Kind.CARRIER_INBOUND,
    headers: Mapping[str, str] | None = None,
) -> tuple[Call, bool]:
    """The carrier's first request of a call: the call is known from now on. False when it was known before."""
    known = Call.objects.filter(carrier_sid=call_sid).select_related("line").first()
    to_number = storable(to_number)[:NUMBER_CHARS]
    if known is None:
        line = Line.objects.filter(number=to_number).first()
        known = open_call(
            at=at,
            line=line,
            from_number=from_number,
            to_number=to_number,
            carrier_sid=call_sid,
            topology=Topology.TWIML,
        )
    status = LegStatus(params["CallStatus"]) if params.get("CallStatus") in LegStatus.values else LegStatus.RINGING
    news = LegNews(sid=call_sid, role=Role.CALLER, status=status)
    event = record(
        known.pk,
        at=at,
        kind=kind,
        lane=Lane.CARRIER,
        body={"params": dict(params), "headers": dict(headers or {})},
        source="twilio",
        source_id=source_id,
        legs=[news],
    )
    return known, event is not None


def open_call(
    *,
    at: datetime,
    line: Line | None,
    from_number: str,
    to_number: str,
    carrier_sid: str | None = None,
    **fields: Any,
) -> Call:
    """A new call begins with the first fact about it, whichever side that came from."""
    topology = {"topology": line.topology} if line else {}
    return Call.objects.create(
        id=new_id(at),
        token=new_token(),
        line=line,
        from_number=from_number,
        to_number=to_number,
        carrier_sid=carrier_sid,
        started_at=at,
        **{**topology, **fields},
    )


def diagnose(call_id: str) -> None:
    """The call says at which stage it failed before any voice, if it did, and which fact decided that."""
    found = judging.diagnosis(call_id)
    Call.objects.filter(pk=call_id).exclude(**found).update(**found)


@transaction.atomic(savepoint=False)
def rejudge(call_id: str, *, now: datetime) -> State:
    """The call's state is what its legs, session and transfer say; who ended it is written once."""
    call = judging.lock(call_id)
    changes = judging.judged(call, judging.legs_of(call), now)
    if changes:
        few_rows.change(Call, call_id, changes)
        call_changed(call_id)
    return State(changes.get("state", call.state))


def _conclude(call: Call, stored: Mapping[str, Any], told: Sequence[Fact], legs: Sequence[Leg], now: datetime) -> None:
    """What the facts settle, and what is judged with them, is written to the call in one go.

    `stored` are the fields of the call as they stand in the database.
    """
    new = {name: value for fact in told for name, value in fact.changes.items()}
    if any(fact.kind in stages.TELLING for fact in told):
        new |= judging.diagnosis(call.pk)
    _apply(call, new)
    judged = judging.judged(call, legs, now)
    _apply(call, judged)
    new |= {**judged, "last_seq": call.last_seq}
    changed = {name: value for name, value in new.items() if name not in stored or stored[name] != value}
    if changed:
        few_rows.change(Call, call.pk, changed)


def _apply(call: Call, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(call, name, value)


def _judged_fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in judging.JUDGED}


def _moved(call: Call, legs: Sequence[LegNews], at: datetime) -> dict[str, Any]:
    """The legs are moved, and what came earlier than they did is on the timeline; the call's fields that are stored."""
    few_rows.change(Call, call.pk, {"last_seq": call.last_seq})
    for news in legs:
        _move_leg(call, news, at)
    ((call.last_seq,),) = few_rows.values(Call, ["last_seq"], pk=call.pk)
    return {"last_seq": call.last_seq}


def _move_leg(call: Call, news: LegNews, at: datetime) -> None:
    """The leg is known, and its status is never moved backwards."""
    leg, created = Leg.objects.get_or_create(
        sid=news.sid,
        defaults={
            "call": call,
            "role": news.role,
            "parent_sid": news.parent_sid,
            "status": news.status,
            "screened": news.screened,
            "started_at": at,
        },
    )
    if news.accepted and leg.accepted_at is None:
        leg.accepted_at = at
        leg.save(update_fields=["accepted_at"])
    if created:
        belated.take_up(call.pk, news.sid, now=at)
    if created and news.role == Role.AI:
        Call.objects.filter(pk=call.pk).update(ai_leg_sid=news.sid)
    if not created and not forward(LegStatus(leg.status), news.status):
        return
    leg.status = news.status
    leg.sip_code = news.sip_code or leg.sip_code
    if news.status == LegStatus.IN_PROGRESS and leg.answered_at is None:
        leg.answered_at = at
    if LegFact(Role(leg.role), news.status).is_over and leg.ended_at is None:
        leg.ended_at, leg.found_over = at, news.looked_up
    leg.save(update_fields=["status", "sip_code", "answered_at", "ended_at", "found_over"])
