"""A sideband's life on record: open, dropped, closed, and every frame that passed, read again in order.

Who lost the lease writes nothing. A successor folds the frames again and goes on. `batches` keeps what is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls import intake, judging
from callops.calls.intake import Fact
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane, Session
from callops.core import few_rows
from callops.core.prepared import Asked, Prepared
from callops.sideband.models import AiSession, FrameBatch
from callops.sideband.packing import unpacked
from callops.sideband.signs import Signs

HELD = ("id", "call", "ai_call_id", "lease_owner")
"""The fields of a session by which it is known who may write, and about what."""


class LeaseLost(Exception):
    """Another process holds this sideband now."""


def replay(session_id: int) -> Iterator[tuple[int, bytes]]:
    """Every frame of the session in order, as (unix ms, JSON text)."""
    if not _ANY_BATCH(session=session_id):
        return
    for batch in FrameBatch.objects.filter(session_id=session_id).order_by("first").iterator(chunk_size=200):
        yield from unpacked(bytes(batch.packed))


@transaction.atomic
def opened(session_id: int, *, owner: str, at: datetime, duration_ms: int, signs: Signs) -> bool:
    """The sideband is open, which proves that the call lives; True the first time (the assistant greets then)."""
    session = few_rows.locked(AiSession, session_id, [*HELD, "opened_at"])
    again = session.opened_at is not None
    if session.lease_owner != owner:
        raise LeaseLost(f"session {session_id}")
    first = {} if again else {"opened_at": at}
    few_rows.change(AiSession, session_id, {**signs.columns(), **first})
    body = {"again": again, "duration_ms": duration_ms}
    _tell(session, at, Kind.OPENAI_SIDEBAND_OPEN, body, Session.OPEN)
    return not again


@transaction.atomic
def dropped(session_id: int, *, owner: str, at: datetime, code: int, reason: str) -> None:
    """The socket closed; whether the call is over is not known yet (contract OpenAI 4.3)."""
    if AiSession.objects.filter(pk=session_id, lease_owner=owner).update(dropped_at=at) != 1:
        raise LeaseLost(f"session {session_id}")
    session = few_rows.locked(AiSession, session_id, HELD)
    _tell(session, at, Kind.OPENAI_SIDEBAND_DROPPED, {"code": code, "reason": reason}, Session.RECONNECTING)


@transaction.atomic
def closed(session_id: int, *, owner: str, at: datetime, why: str, kind: Kind, body: Mapping[str, Any]) -> None:
    """The AI's session is over; the carrier is asked about the caller's leg next."""
    session = few_rows.locked(AiSession, session_id, [*HELD, "closed_at"])
    if session.closed_at is not None:
        return
    if session.lease_owner != owner:
        raise LeaseLost(f"session {session_id}")
    AiSession.objects.filter(pk=session_id).update(
        closed_at=at, close_reason=why[:200], lease_until=None, lease_owner=""
    )
    Call.objects.filter(pk=session.call_id, carrier_check_at__isnull=True, carrier_sid__isnull=False).update(
        carrier_check_at=at, carrier_checks=0
    )
    _tell(session, at, kind, {**body, "why": why}, Session.CLOSED)


def _tell(session: AiSession, at: datetime, kind: Kind, body: Mapping[str, Any], state: Session) -> None:
    """The fact is on the timeline; it speaks for the call only while this is the call's newest session."""
    call = judging.lock(session.call_id)
    changes = {"ai_session": state} if call.ai_call_id == session.ai_call_id else {}
    intake.settle(call, [Fact(at=at, kind=kind, lane=Lane.OPENAI, body=body, changes=changes)], now=at)


_ANY_BATCH = Prepared(lambda: FrameBatch.objects.filter(session=Asked("session")).order_by().values_list("pk")[:1])
