"""Callers nobody could take: a task for a person, opened as a fact, counted when they come again, closed by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, CallBack
from callops.calls.words import Lane


@transaction.atomic
def owe(call_id: str, *, at: datetime, why: str, source_id: str) -> None:
    """A task to call this caller back is open, and on the call's timeline once.

    A caller whose task is open already is counted on it, and it leads to their latest call. Callers who withhold
    their number are not known to be the same: each call has a task of its own, which says so.
    """
    call = Call.objects.select_for_update().get(pk=call_id)
    event = timeline.append(
        call,
        at=at,
        kind=Kind.US_CALL_BACK_OPENED,
        lane=Lane.US,
        body={"number": call.from_number, "why": why},
        source="callops",
        source_id=f"call-back:{source_id}",
    )
    if event is not None:
        _open(call, at=at, why=why[:300])


@transaction.atomic
def settle(task_id: int, *, by: str, now: datetime) -> bool:
    """The task is done, and who did it is on the call's timeline; False when it was done before."""
    if CallBack.objects.open().filter(pk=task_id).update(done_at=now, done_by=by[:150]) != 1:
        return False
    call = Call.objects.get(call_backs=task_id)
    timeline.note(call, at=now, kind=Kind.OPERATOR_CALL_BACK_DONE, lane=Lane.OPERATOR, body={"by": by})
    return True


def _open(call: Call, *, at: datetime, why: str) -> None:
    """One open task per caller's number and number dialled: the constraint decides between two calls at once."""
    who: dict[str, Any] = {"number": call.from_number, "to_number": call.to_number, "done_at": None}
    if not call.from_number:
        who["call"] = call
    first = {"call": call, "why": why, "opened_at": at, "last_at": at}
    task, created = CallBack.objects.get_or_create(**who, defaults=first)
    if not created:
        CallBack.objects.filter(pk=task.pk).update(times=F("times") + 1, last_at=at, call=call, why=why)
