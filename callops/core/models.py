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


class Refusal(models.Model):
    """How often one door refused requests in one hour for one reason, with the cause that is likely."""

    door = models.CharField(max_length=20)
    hour = models.DateTimeField()
    """The start of the hour."""
    reason = models.CharField(max_length=120)
    cause = models.CharField(max_length=300)
    count = models.PositiveBigIntegerField(default=1)
    last_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-hour", "door", "-last_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hour", "door", "reason", "cause"], name="core_refusal_once_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.door} refused {self.count}: {self.reason}"
