"""Incidents: trouble that opens and closes by itself, or that a person opened, and people's work on it.

Whether the trouble goes on (`closed_at`) and whether somebody has seen to it (`acknowledged_at`, `owner`,
`resolved_at`) are two things: what is over may still want a cause, and what is resolved may still go on.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, When

from callops.calls.models import Call
from callops.calls.words import FailureStage

DEAD_MAN = "dead_man"
"""The kind of an incident that opens because something expected does not come."""
BY_HAND = "by_hand"
"""The kind of an incident that a person opened; its trouble is over when it is resolved."""
KINDS = [*FailureStage.choices, (DEAD_MAN, "what is expected does not come"), (BY_HAND, "opened by a person")]


class Sign(models.TextChoices):
    """What should keep coming while there is traffic."""

    OPENAI_WEBHOOK = "openai_webhook", "OpenAI's webhooks"
    TWILIO_REQUEST = "twilio_request", "Twilio's requests"
    ENGINE = "engine", "an engine's looks"


class Cause(models.TextChoices):
    """Where the cause of an incident was found."""

    OPENAI = "openai", "OpenAI"
    TWILIO = "twilio", "Twilio"
    OURS = "ours", "our own software or settings"
    NETWORK = "network", "the network between us and a provider"
    PEOPLE = "people", "nobody was there to answer"
    CALLERS = "callers", "the callers themselves"
    UNKNOWN = "unknown", "not found out"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def still_open(self) -> IncidentQuerySet:
        """Trouble that opened by itself and goes on."""
        return self.filter(closed_at__isnull=True).exclude(kind=BY_HAND)

    def unresolved(self) -> IncidentQuerySet:
        """Incidents whose cause nobody has said."""
        return self.filter(resolved_at__isnull=True)

    def open_first(self) -> IncidentQuerySet:
        """What nobody has resolved or what goes on (`rank` 0), then the others (1); the newest of each first."""
        is_open = Q(resolved_at__isnull=True) | Q(closed_at__isnull=True)
        return self.annotate(rank=Case(When(is_open, then=0), default=1)).order_by("rank", "-id")


class Incident(models.Model):
    """Calls that fail at one stage, or a sign of life that stays away, from its first fact until it was over.

    One per kind and sign is open at a time, however many processes look. A person opens as many as there are.
    `rev` counts what people did to its state: who saw an older one is told so, and does nothing.
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
    title = models.CharField(max_length=120, blank=True, default="")
    opened_by = models.CharField(max_length=150, blank=True, default="")
    """Who opened it; empty when it opened by itself."""
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True, default="")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True, default="")
    cause = models.CharField(max_length=12, choices=Cause, blank=True, default="")
    cause_words = models.TextField(blank=True, default="")
    rev = models.PositiveIntegerField(default=0)

    objects = IncidentQuerySet.as_manager()
    TYPED: ClassVar = ("title", "cause_words")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "about"],
                name="incident_open_once",
                condition=Q(closed_at__isnull=True) & ~Q(kind=BY_HAND),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}".strip()

    @property
    def subject(self) -> str:
        """The stage or the sign it is about."""
        return self.about or self.kind

    @property
    def is_by_hand(self) -> bool:
        """Whether a person opened it."""
        return self.kind == BY_HAND


class IncidentCall(models.Model):
    """A call that a person put to an incident, or (`is_out`) said to be none of it.

    Two halves of which each was put to it may become one call: then there are two rows, and that is no harm.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="collected")
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="incidents")
    is_out = models.BooleanField(default=False)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["incident", "call"], name="incident_call")]

    def __str__(self) -> str:
        return f"{self.call_id} of incident {self.incident_id}"


class Work(models.TextChoices):
    """What a person did to an incident."""

    OPENED = "opened", "opened it"
    ACKNOWLEDGED = "acknowledged", "acknowledged it"
    OWNED = "owned", "gave it an owner"
    NOTED = "noted", "noted"
    COLLECTED = "collected", "added calls"
    LEFT_OUT = "left_out", "took a call out"
    RESOLVED = "resolved", "resolved it"
    REOPENED = "reopened", "reopened it"


class IncidentStep(models.Model):
    """One thing a person did to an incident; a note's `text` is Markdown. Nothing is ever changed here, but that a
    caller who is erased is taken out of it.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    what = models.CharField(max_length=12, choices=Work)
    text = models.TextField(blank=True, default="")
    TYPED: ClassVar = ("text",)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.by} {self.what}"
