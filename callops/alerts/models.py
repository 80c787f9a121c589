"""Incidents: trouble of the whole fleet, not of one call. They open and close by themselves."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from callops.calls.words import FailureStage

DEAD_MAN = "dead_man"
"""The kind of an incident that opens because something expected does not come."""
KINDS = [*FailureStage.choices, (DEAD_MAN, "what is expected does not come")]


class Sign(models.TextChoices):
    """What should keep coming while there is traffic."""

    OPENAI_WEBHOOK = "openai_webhook", "OpenAI's webhooks"
    TWILIO_REQUEST = "twilio_request", "Twilio's requests"
    ENGINE = "engine", "an engine's looks"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def still_open(self) -> IncidentQuerySet:
        """Incidents that were not closed."""
        return self.filter(closed_at__isnull=True)


class Incident(models.Model):
    """Calls that fail at one stage, or a sign of life that stays away, from its first fact until it was over.

    One per kind and sign is open at a time, however many processes look.
    """

    kind = models.CharField(max_length=24, choices=KINDS)
    about = models.CharField(max_length=24, choices=Sign, blank=True, default="")
    """The sign that stays away; empty for calls that fail."""
    began_at = models.DateTimeField()
    """When the first of the calls that opened it began, or when the sign was last seen."""
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    failed = models.PositiveIntegerField(default=0)
    """Calls that failed at this stage since it began."""
    calls = models.PositiveIntegerField(default=0)
    """All calls since it began."""
    because = models.CharField(max_length=300)
    closed_because = models.CharField(max_length=300, blank=True, default="")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "about"], name="incident_open_once", condition=Q(closed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}".strip()

    @property
    def subject(self) -> str:
        """The stage or the sign it is about."""
        return self.about or self.kind
