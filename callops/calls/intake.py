"""Facts come in here: written once, put on their call, and the call's state judged again, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls import belated, ends, stages, timeline
from callops.calls.ends import EndFacts, LegEnd
from callops.calls.kinds import Kind
from callops.calls.lifecycle import LegFact, Picture, forward, state_of
from callops.calls.models import Call, Event, Leg, Line
from callops.calls.words import Lane, LegStatus, Role, Session, State, Topology
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


@transaction.atomic
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
    call = Call.objects.select_for_update().get(pk=call_id)
    event = timeline.append(call, at=at, kind=kind, lane=lane, body=body, source=source, source_id=source_id)
    if event is None:
        return None
    for news in legs:
        _move_leg(call, news, at)
    if changes:
        Call.objects.filter(pk=call_id).update(**changes)
    if kind in stages.TELLING:
        diagnose(call_id)
    rejudge(call_id, now=at)
    return event


@transaction.atomic
def note(
    call_id: str, *, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any], legs: Sequence[LegNews]
) -> Event:
    """A fact that has no identity at its source is on the timeline, and the legs it tells of are moved."""
    call = Call.objects.select_for_update().get(pk=call_id)
    event = timeline.note(call, at=at, kind=kind, lane=lane, body=body)
    for news in legs:
        _move_leg(call, news, at)
    if kind in stages.TELLING:
        diagnose(call_id)
    rejudge(call_id, now=at)
    return event


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
    rows = Event.objects.filter(call=call_id, kind__in=stages.READ).values_list("seq", "at", "kind", "body")
    found = stages.classify(stages.StageFact(seq, at, Kind(kind), body) for seq, at, kind, body in rows)
    stage, seq = (found.stage, found.seq) if found else ("", None)
    Call.objects.filter(pk=call_id).exclude(failure_stage=stage, failure_seq=seq).update(
        failure_stage=stage, failure_seq=seq
    )


@transaction.atomic
def rejudge(call_id: str, *, now: datetime) -> State:
    """The call's state is what its legs, session and transfer say; who ended it is written once."""
    call = Call.objects.select_for_update().get(pk=call_id)
    changes = _judged(call, list(call.legs.all()), now)
    if changes:
        Call.objects.filter(pk=call_id).update(**changes)
        call_changed(call_id)
    return State(changes.get("state", call.state))


def _leg_fact(leg: Leg) -> LegFact:
    return LegFact(Role(leg.role), LegStatus(leg.status), awaits_key=leg.screened and leg.accepted_at is None)


def end_facts(call: Call, legs: Iterable[Leg]) -> EndFacts:
    """What the carrier and we know of the end of a call; who was speaking is not among it."""
    ended = (
        LegEnd(
            role=Role(leg.role),
            status=LegStatus(leg.status),
            ended_at=leg.ended_at,
            sip_code=leg.sip_code,
            found_over=leg.found_over,
        )
        for leg in legs
    )
    return EndFacts(
        legs=tuple(ended), wish=call.end_wish, caller_left_at=call.caller_left_at, ai_left_at=call.ai_left_at
    )


def _judged(call: Call, rows: Sequence[Leg], now: datetime) -> dict[str, Any]:
    """The fields that differ from what is stored."""
    wanted = bool(call.ai_dialled_at or call.ai_call_id)
    legs = tuple(_leg_fact(leg) for leg in rows)
    picture = Picture(
        legs=legs, session=Session(call.ai_session), transfer_open=call.has_open_transfer, ai_wanted=wanted
    )
    state = state_of(picture)
    changes: dict[str, Any] = {} if state == call.state else {"state": state}
    answered = any(leg.role == Role.AI and leg.status == LegStatus.IN_PROGRESS for leg in legs)
    if call.answered_at is None and (answered or call.ai_session == Session.OPEN):
        changes["answered_at"] = now
    if state == State.ENDED:
        changes |= _ending(call, rows, now)
    return changes


def _ending(call: Call, legs: Sequence[Leg], now: datetime) -> dict[str, Any]:
    """When the call ended is written once; who ended it follows the facts, of which some come late."""
    ended_by = ends.who(end_facts(call, legs))
    ending: dict[str, Any] = {} if ended_by == call.ended_by else {"ended_by": ended_by}
    if call.ended_at is None:
        ending |= {"ended_at": now, "carrier_check_at": None, "webhook_due_at": None}
    return ending


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
