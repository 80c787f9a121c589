"""Rows for tests: each call makes one, true to what the doors write, with every field open to change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from callops.calls.models import Call, Destination, Event, Leg, Line
from callops.calls.words import LegStatus, Role, Session, State
from callops.core.ids import new_id, new_token
from callops.sideband.models import AiSession
from callops.transfers.commands import request_transfer
from callops.transfers.models import TransferAttempt

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
OUR_NUMBER = "+15550100"
CALLER = "+15550123"

_numbers = itertools.count(1)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def make_line(**fields: Any) -> Line:
    """The line callers dial."""
    known = {"number": OUR_NUMBER, "name": "Northline support", "instructions": "You are Nora.", "greeting": "Greet."}
    return Line.objects.create(**{**known, **fields})


def make_destination(name: str = "frontdesk", **fields: Any) -> Destination:
    """A person or desk with a number of its own."""
    known = {"label": name.capitalize(), "uri": f"tel:+1555011{next(_numbers) % 10}"}
    return Destination.objects.create(name=name, **{**known, **fields})


def make_call(line: Line | None = None, **fields: Any) -> Call:
    """A live call with both halves: the caller's leg up, the AI's leg up, the sideband open."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "id": new_id(NOON),
        "token": new_token(),
        "line": line,
        "from_number": CALLER,
        "to_number": OUR_NUMBER,
        "carrier_sid": f"CA{number:032x}",
        "ai_leg_sid": f"CAA{number:031x}",
        "ai_call_id": f"rtc_{number}",
        "state": State.LIVE,
        "ai_session": Session.OPEN,
        "started_at": NOON,
        "ai_dialled_at": NOON,
        "answered_at": NOON,
    }
    call = Call.objects.create(**{**known, **fields})
    if call.carrier_sid and call.topology == "twiml":
        make_leg(call, sid=call.carrier_sid)
        if call.ai_leg_sid:
            make_leg(call, sid=call.ai_leg_sid, role=Role.AI, parent_sid=call.carrier_sid)
    return call


def make_ringing_call(line: Line | None = None, **fields: Any) -> Call:
    """A call whose caller rings and whose AI was dialled, before anything came of it."""
    unknown = {"ai_call_id": None, "ai_leg_sid": "", "answered_at": None, "ai_session": Session.NONE}
    return make_call(line, **{**unknown, "state": State.CONNECTING, **fields})


def make_leg(call: Call, **fields: Any) -> Leg:
    """A leg of the call that is up."""
    known = {"role": Role.CALLER, "status": LegStatus.IN_PROGRESS, "started_at": NOON}
    return Leg.objects.create(call=call, **{**known, **fields})


def make_session(call: Call, **fields: Any) -> AiSession:
    """The AI's session of a call, accepted, nobody holding its socket."""
    known = {"ai_call_id": call.ai_call_id, "webhook_at": NOON, "created_at": NOON, "accepted_at": NOON}
    return AiSession.objects.create(call=call, **{**known, **fields})


def make_attempt(call: Call, destination: Destination | None = None, **wish: Any) -> TransferAttempt:
    """A transfer somebody asked for, as `request_transfer` leaves it."""
    target = destination or Destination.objects.first() or make_destination()
    known = {"asked_by": "supervisor1", "now": NOON}
    return request_transfer(call=call, destination=target, **{**known, **wish})


def make_refer(line: Line, asked_at: datetime, fate: str = "unproven", **fields: Any) -> TransferAttempt:
    """A transfer of the past on this line, and what became of its REFER."""
    became: dict[str, dict[str, Any]] = {
        "proven": {"refer_seen_at": asked_at + timedelta(seconds=1)},
        "late": {"refer_seen_at": asked_at + timedelta(seconds=9)},
        "unproven": {},
        "refused": {"refer_answer": "refused"},
    }
    known: dict[str, Any] = {
        "id": new_id(asked_at),
        "token": new_token(),
        "call": make_call(line, state=State.ENDED, ended_at=asked_at, carrier_sid=None, ai_call_id=None),
        "target_uri": "tel:+15550111",
        "target_label": "Front desk",
        "policy": "refer_then_redirect",
        "requested_by": "supervisor1",
        "requested_at": asked_at,
        "refer_asked_at": asked_at,
        "refer_deadline_at": asked_at + timedelta(seconds=4),
        "state": "settled",
        "settled_at": asked_at + timedelta(seconds=10),
    }
    return TransferAttempt.objects.create(**{**known, **became[fate], **fields})


def kinds(call: Call) -> list[str]:
    """What is on the call's timeline, in order."""
    return list(Event.objects.filter(call=call).order_by("seq").values_list("kind", flat=True))


def body_of(call: Call, kind: str) -> dict[str, Any]:
    """The body of the newest event of this kind."""
    return Event.objects.filter(call=call, kind=kind).latest("seq").body
