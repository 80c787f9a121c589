"""What the assistant may do by itself: transfer the caller by name, end the call (interface.md section 7).

Every call of a tool is answered in words the model can use; it can never choose a raw number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination
from callops.calls.words import EndedBy, Lane, Redaction
from callops.core import bulk
from callops.core.text import storable
from callops.engine.asides import Summary
from callops.privacy.rules import redact
from callops.sideband.journal import LeaseLost
from callops.sideband.models import AiSession
from callops.sideband.payload import END_TOOL, TRANSFER_TOOL
from callops.sideband.transcript import ToolCall
from callops.transfers import asides
from callops.transfers.commands import ASSISTANT, AnotherOpen, NotTransferable, TargetRefused, request_transfer


@dataclass(frozen=True, slots=True)
class Reply:
    """The tool's output, whether the model is to speak on it, and whether the call is to end after playback."""

    output: dict[str, Any]
    speak: bool
    end_call: bool = False


class _Transfer(msgspec.Struct):
    destination: str
    reason: str = ""
    summary: str = ""


@transaction.atomic
def run(session_id: int, asked: ToolCall, *, owner: str, now: datetime) -> Reply:
    """The tool did what it may, and its answer is on the timeline; asking again with the same id does nothing twice.

    It is done to the call the session belongs to now: the carrier may have said meanwhile that this is another one.
    Raises `LeaseLost` for whoever does not hold the sideband any more.
    """
    held = bulk.locked(AiSession, ["call"], [session_id], only={"lease_owner": owner})
    if not held:
        raise LeaseLost(f"session {session_id}")
    [[call_id]] = held
    if asked.name == TRANSFER_TOOL:
        reply = _transfer(Call.objects.get(pk=call_id), asked, now)
    elif asked.name == END_TOOL:
        reply = Reply({"ok": True}, speak=False, end_call=True)
    else:
        reply = _refusal(f"There is no tool called {asked.name[:64]}. Use {TRANSFER_TOOL} or {END_TOOL}.")
    timeline.append(
        Call(pk=call_id),  # the rest of the call is not needed, and reading it costs more than all else here
        at=now,
        kind=Kind.US_TOOL_ANSWERED,
        lane=Lane.US,
        body={"name": asked.name, "output": reply.output, "call_id": asked.call_id},
        source="callops",
        source_id=f"tool:{asked.call_id}",
    )
    return reply


@transaction.atomic
def hand_over(session_id: int, summary: Summary, *, now: datetime) -> None:
    """The AI's sentence is the summary of the transfer it was asked for, if that is one of this session's call."""
    call = Call.objects.select_related("line").get(sessions=session_id)
    words = redact(summary.text, _rules(call)).text
    asides.summarised(summary.transfer, call_id=call.pk, text=words, now=now)


@transaction.atomic
def wish_to_end(session_id: int) -> None:
    """The assistant decided to end the call, unless somebody did before."""
    Call.objects.filter(sessions=session_id, end_wish="").update(end_wish=EndedBy.ASSISTANT)


def _transfer(call: Call, asked: ToolCall, now: datetime) -> Reply:
    try:
        wish = msgspec.json.decode(asked.arguments_json or "{}", type=_Transfer)
    except msgspec.DecodeError:
        return _refusal("The arguments could not be read. Give destination, reason and summary.")
    destination = Destination.objects.filter(name=storable(wish.destination)).first()
    if destination is None:
        known = ", ".join(Destination.objects.values_list("name", flat=True)) or "none at the moment"
        return _refusal(f"There is no destination called {wish.destination[:64]}. Destinations are: {known}.")
    rules = _rules(call)
    try:
        request_transfer(
            call=call,
            destination=destination,
            asked_by=ASSISTANT,
            now=now,
            key=f"tool:{asked.call_id}",
            reason=redact(wish.reason, rules).text,
            summary=redact(wish.summary, rules).text,
        )
    except AnotherOpen as open_one:
        return Reply({"ok": True, "note": str(open_one)}, speak=False)
    except (NotTransferable, TargetRefused) as refusal:
        return _refusal(str(refusal))
    return Reply({"ok": True, "destination": destination.label, "note": "The caller is being connected."}, speak=False)


def _rules(call: Call) -> list[str]:
    """What is not kept readable of what is said on this call."""
    return call.line.redact if call.line else Redaction.usual()


def _refusal(words: str) -> Reply:
    return Reply({"ok": False, "error": words}, speak=True)
