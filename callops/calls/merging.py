"""Two calls that turn out to be one: what was known of the other is known of this one, and nothing is lost."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from django.db import transaction

from callops.calls import timeline
from callops.calls.models import Call, MergedCall
from callops.calls.words import FailureStage


@runtime_checkable
class Joins(Protocol):
    """Rows of which no two may stand for one call."""

    def join(self, call: Call, other: Call, now: datetime) -> None:
        """The two calls are about to be one; what stood for the other no longer stands in the way."""


@transaction.atomic
def absorb(call_id: str, other_id: str, *, now: datetime) -> None:
    """The other call is gone and everything it had is this call's, its id too; whoever calls judges the state again.

    Rows of every room that point at a call follow by themselves; events get new numbers (`timeline.adopt`). Where only
    one row of a call may stand, its room says beforehand what becomes of two (`Joins`).
    """
    call, other = both(call_id, other_id)
    for relation in Call._meta.related_objects:
        rows: Any = relation.related_model
        if isinstance(rows.objects, Joins):
            rows.objects.join(call, other, now)
    timeline.adopt(call_id, other_id)
    taken = call.transfers.exclude(key=None).values_list("key", flat=True)
    other.transfers.filter(key__in=list(taken)).update(key=None)
    for relation in Call._meta.related_objects:
        rows = relation.related_model
        rows.objects.filter(**{relation.field.name: other_id}).update(**{relation.field.name: call_id})
    Call.objects.filter(pk=other_id).delete()
    MergedCall.objects.create(former_id=other_id, call=call)
    Call.objects.filter(pk=call_id).update(**_together(call, other))


def both(call_id: str, other_id: str) -> tuple[Call, Call]:
    """The two calls as they are, locked for the rest of the transaction; in one order, so that nobody waits in a ring.

    Raises `KeyError` when one of them is gone.
    """
    rows = {row.pk: row for row in Call.objects.select_for_update().filter(pk__in=[call_id, other_id]).order_by("pk")}
    return rows[call_id], rows[other_id]


def stage_of(own: str, moved: str) -> str:
    """Where a call died that got its AI half after all: what that half says, and never that its webhook stayed away."""
    return moved or ("" if own == FailureStage.WEBHOOK_MISSING else own)


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of the moments that are known."""
    return min((moment for moment in moments if moment is not None), default=None)


def _together(call: Call, other: Call) -> dict[str, Any]:
    """The fields in which the one call differs from what each half knew."""
    return {
        "line_id": call.line_id or other.line_id,
        "from_number": call.from_number or other.from_number,
        "to_number": call.to_number or other.to_number,
        "started_at": min(call.started_at, other.started_at),
        "answered_at": earliest(call.answered_at, other.answered_at),
        "ai_call_id": other.ai_call_id or call.ai_call_id,
        "ai_session": other.ai_session,
        "runtime": other.runtime,
        "end_wish": call.end_wish or other.end_wish,
        "has_open_transfer": call.has_open_transfer or other.has_open_transfer,
        "incomplete": call.incomplete or other.incomplete,
        "webhook_due_at": None,
    }
