"""Calls whose data must stay, whatever the clocks and the erasures say."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from callops.calls.models import Call


class HoldQuerySet(models.QuerySet["Hold"]):
    def standing(self) -> HoldQuerySet:
        """Holds nobody has lifted."""
        return self.filter(lifted_at__isnull=True)


class Hold(models.Model):
    """A legal hold on one call: nothing of it is deleted until the hold is lifted. One stands at a time."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="holds")
    why = models.CharField(max_length=300)
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
