"""Calls whose data must stay, whatever the clocks and the erasures say."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

from callops.audit import chain, verbs
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane

WHY_CHARS: Final = 300
JOINED: Final = "another hold on the same call"
"""What lifted the hold on a half that was joined with one on hold."""


class HoldQuerySet(models.QuerySet["Hold"]):
    def standing(self) -> HoldQuerySet:
        """Holds nobody has lifted."""
        return self.filter(lifted_at__isnull=True)

    def join(self, call: Call, other: Call, now: datetime) -> None:
        """Of two calls on hold that become one, the first hold stands, with both reasons; the timeline and the audit
        have them in full. The other row stays as it was, and says what it was lifted by.
        """
        held = list(self.standing().filter(call__in=[call, other]).select_for_update().order_by("placed_at", "pk"))
        if len(held) < 2:
            return
        first, second = held
        why = f"Both halves were on hold. {first.placed_by}: {first.why}; {second.placed_by}: {second.why}"
        self.filter(pk=second.pk).update(lifted_at=now, lifted_by=JOINED)
        self.filter(pk=first.pk).update(why=f"{first.why}; {second.why}"[:WHY_CHARS])
        chain.record(verbs.BY_CLOCK, verbs.HOLD, now=now, call=call.pk, detail={"why": why, "joined": other.pk})
        by = f"{first.placed_by}, {second.placed_by}"
        timeline.note(call, at=now, kind=Kind.OPERATOR_HELD, lane=Lane.OPERATOR, body={"by": by, "why": why})


class Hold(models.Model):
    """A legal hold on one call: nothing of it is deleted until the hold is lifted. One stands at a time."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="holds")
    why = models.CharField(max_length=WHY_CHARS)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=150)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True, default="")

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call"], condition=Q(lifted_at__isnull=True), name="one_standing_hold")
        ]

    def __str__(self) -> str:
        return f"hold on {self.call_id}: {self.why}"
