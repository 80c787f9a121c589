"""A call's state, judged by its rows: which of them are read for it, and what is different from what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from callops.calls import ends, stages
from callops.calls.ends import EndFacts, LegEnd
from callops.calls.kinds import Kind
from callops.calls.lifecycle import LegFact, Picture, state_of
from callops.calls.models import Call, Event, Leg
from callops.calls.words import LegStatus, Role, Session, State
from callops.core import few_rows

JUDGED = (
    *("state", "ai_call_id", "ai_session", "ai_dialled_at", "has_open_transfer"),
    *("answered_at", "ended_at", "ended_by", "end_wish", "caller_left_at", "ai_left_at"),
    *("failure_stage", "failure_seq", "last_seq"),
)
"""The fields of a call by which its state is judged, and those that follow from its facts."""
JUDGED_LEG = ("id", "role", "status", "screened", "accepted_at", "ended_at", "sip_code", "found_over")
TOLD_BY = tuple(sorted(stages.READ))
"""The kinds of facts by which the stage at which a call failed is judged."""


def lock(call_id: str) -> Call:
    """The call as far as its state is judged by it (`JUDGED`), locked until the end of the transaction."""
    return few_rows.locked(Call, call_id, ("id", "line", *JUDGED))


def legs_of(call: Call) -> list[Leg]:
    """The call's legs, as far as its state is judged by them."""
    return few_rows.rows(Leg, JUDGED_LEG, call=call.pk)


def state_with(call: Call, legs: Sequence[Leg], changes: Mapping[str, Any]) -> State:
    """The state in which the call will be when these fields of it are changed."""
    session, ai_call_id = (changes.get(name, getattr(call, name)) for name in ("ai_session", "ai_call_id"))
    picture = Picture(
        legs=tuple(_leg_fact(leg) for leg in legs),
        session=Session(session),
        transfer_open=call.has_open_transfer,
        ai_wanted=bool(call.ai_dialled_at or ai_call_id),
    )
    return state_of(picture)


def judged(call: Call, legs: Sequence[Leg], now: datetime) -> dict[str, Any]:
    """The fields of the call that are different from now on."""
    state = state_with(call, legs, {})
    changes: dict[str, Any] = {} if state == call.state else {"state": state}
    answered = any(leg.role == Role.AI and leg.status == LegStatus.IN_PROGRESS for leg in legs)
    if call.answered_at is None and (answered or call.ai_session == Session.OPEN):
        changes["answered_at"] = now
    if state == State.ENDED:
        changes |= _ending(call, legs, now)
    return changes


def diagnosis(call_id: str) -> dict[str, Any]:
    """The stage at which the call failed, as the fields of the call in which it is kept."""
    rows = few_rows.values(Event, ["seq", "at", "kind", "body"], call=call_id, kind=TOLD_BY)
    found = stages.classify(stages.StageFact(seq, at, Kind(kind), body) for seq, at, kind, body in rows)
    return {"failure_stage": found.stage if found else "", "failure_seq": found.seq if found else None}


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


def _leg_fact(leg: Leg) -> LegFact:
    return LegFact(Role(leg.role), LegStatus(leg.status), awaits_key=leg.screened and leg.accepted_at is None)


def _ending(call: Call, legs: Sequence[Leg], now: datetime) -> dict[str, Any]:
    """When the call ended is written once; who ended it follows the facts, of which some come late."""
    ended_by = ends.who(end_facts(call, legs))
    ending: dict[str, Any] = {} if ended_by == call.ended_by else {"ended_by": ended_by}
    if call.ended_at is None:
        ending |= {"ended_at": now, "carrier_check_at": None, "webhook_due_at": None}
    return ending
