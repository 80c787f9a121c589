"""What is counted across restarts and processes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Counter(models.Model):
    """How often one named thing happened, such as a webhook refused for a bad signature."""

    name = models.CharField(max_length=80, unique=True)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()
    last_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"


class Beat(models.Model):
    """When something that should keep happening last did: a webhook, a callback, an engine's look."""

    name = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()
    says = models.JSONField(default=dict)
    """What it said of itself then: an engine's load."""

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
