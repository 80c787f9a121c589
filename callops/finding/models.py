"""Searches people gave a name, to come back to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class ViewQuerySet(models.QuerySet["SavedView"]):
    def seen_by(self, user: Any) -> ViewQuerySet:
        """The person's own, and those that others share."""
        return self.filter(Q(by=user) | Q(is_shared=True)).select_related("by")


class SavedView(models.Model):
    """A search under a name: the query of the history's address. It finds for each what they may see."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    is_shared = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    objects = ViewQuerySet.as_manager()
    TYPED: ClassVar = ("name",)
    TYPED_ADDRESSES: ClassVar = ("query",)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["by", "name"], name="one_view_a_name")]

    def __str__(self) -> str:
        return self.name
