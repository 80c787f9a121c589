"""What an attachment must know of its session, and the few rows it asks for on its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callops.calls.lifecycle import OVER
from callops.calls.models import Call
from callops.calls.words import LegStatus, Redaction, Role
from callops.core.prepared import Asked, Prepared
from callops.sideband import acceptance, journal
from callops.sideband.models import AiSession


@dataclass(frozen=True, slots=True)
class Served:
    """What an attachment must know of its session."""

    session_id: int
    call_id: str
    ai_call_id: str
    position_base: int
    accepted_at: datetime
    was_open: bool
    greeting: str
    """How the assistant begins: as the line wants it, or, to a caller who is back, with what came of the transfer."""
    rules: tuple[str, ...] = ()
    """What is not kept readable of what is said (`Line.redact`)."""


def served(session_id: int) -> Served:
    """What an attachment must know, read once when the lease was won."""
    found = _SERVED(session=session_id)
    if not found:
        raise AiSession.DoesNotExist(f"There is no session {session_id}.")
    ((call_id, ai_call_id, position_base, accepted_at, created_at, opened_at, line, greeting, redact),) = found
    return Served(
        session_id=session_id,
        call_id=call_id,
        ai_call_id=ai_call_id,
        position_base=position_base,
        accepted_at=accepted_at or created_at,
        was_open=opened_at is not None,
        greeting=acceptance.told(call_id, position_base) or greeting or "",
        rules=tuple(Redaction.usual() if line is None else redact),
    )


_SERVED = Prepared(
    lambda: AiSession.objects.filter(pk=Asked("session")).values_list(
        *("call_id", "ai_call_id", "position_base", "accepted_at", "created_at", "opened_at"),
        *("call__line_id", "call__line__greeting", "call__line__redact"),
    )
)


def stored(session_id: int) -> list[tuple[int, bytes]]:
    """What a predecessor kept: (unix ms, JSON text) of every frame, in order."""
    return list(journal.replay(session_id))


def caller_is_gone(session_id: int) -> bool:
    """Whether the session's call is over."""
    return Call.objects.get(sessions=session_id).is_over


def ai_leg(session_id: int) -> str:
    """The AI's leg of this very session at the carrier; blank when it is over, or the carrier has not told of it.

    A call may have several: the first try may be given up while the second talks to the caller.
    """
    session = AiSession.objects.select_related("call").get(pk=session_id)
    call = session.call
    own = call.legs.filter(role=Role.AI, sid=session.invite_sid).first()
    if own is not None:
        return "" if LegStatus(own.status) in OVER else own.sid
    return call.ai_leg_sid if call.ai_call_id == session.ai_call_id else ""


def anybody_is_on_the_line() -> bool:
    """Whether a call of ours goes on, as far as is known."""
    return Call.objects.unfinished().exists()
