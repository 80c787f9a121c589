"""Holds are placed and lifted, each with who and why."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from callops.audit import chain, verbs
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.custody.models import WHY_CHARS, Hold


@transaction.atomic
def place(call: Call, *, why: str, by: str, now: datetime) -> Hold:
    """Nothing of the call is deleted from now on; a hold that stands already is kept as it is."""
    Call.objects.select_for_update().get(pk=call.pk)
    standing = Hold.objects.standing().filter(call=call).first()
    if standing is not None:
        return standing
    chain.record(by, verbs.HOLD, now=now, call=call.pk, detail={"why": why[:WHY_CHARS]})
    timeline.note(call, at=now, kind=Kind.OPERATOR_HELD, lane=Lane.OPERATOR, body={"by": by, "why": why[:WHY_CHARS]})
    return Hold.objects.create(call=call, why=why[:WHY_CHARS], placed_at=now, placed_by=by)


@transaction.atomic
def lift(call: Call, *, by: str, now: datetime) -> bool:
    """The call is under the clocks again; False when no hold stood."""
    if Hold.objects.standing().filter(call=call).update(lifted_at=now, lifted_by=by) == 0:
        return False
    chain.record(by, verbs.HOLD, now=now, call=call.pk, detail={"lifted": True})
    timeline.note(call, at=now, kind=Kind.OPERATOR_HOLD_LIFTED, lane=Lane.OPERATOR, body={"by": by})
    return True
