"""What supervisors do about a running conversation, how far each act got, and who is looking at a call."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from callops.calls.models import Call


class Act(models.TextChoices):
    """In climbing order: how much the caller notices."""

    WHISPER = "whisper", "Whisper"
    SAY = "say", "Say"
    PAUSE = "pause", "Pause the assistant"
    RESUME = "resume", "Resume the assistant"


class Step(models.TextChoices):
    """How far an act got. `lost`: handed over, and nobody answered in time; a late answer still counts."""

    ASKED = "asked", "asked"
    SENT = "sent", "handed over"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    SEEN = "seen", "seen"
    REFUSED = "refused", "refused"
    LOST = "lost", "not known"


STEPS: dict[Step, frozenset[Step]] = {
    Step.SENT: frozenset({Step.ASKED}),
    Step.ACKNOWLEDGED: frozenset({Step.SENT, Step.LOST}),
    Step.SEEN: frozenset({Step.SENT, Step.LOST, Step.ACKNOWLEDGED}),
    Step.REFUSED: frozenset({Step.ASKED, Step.SENT, Step.LOST}),
    Step.LOST: frozenset({Step.SENT}),
}
"""From which steps each may be reached: never backwards, and a refusal never undoes what was seen."""


class InterventionQuerySet(models.QuerySet["Intervention"]):
    def move(self, pk: str, step: Step, *, at: datetime, why: str = "") -> bool:
        """The act got so far, with the time; False when it is there or further already."""
        changes: dict[str, object] = {"step": step, f"{step}_at": at}
        if why:
            changes["why"] = why[:300]
        return self.filter(pk=pk, step__in=STEPS[step]).update(**changes) == 1


class Intervention(models.Model):
    """One act of a supervisor in a conversation, asked for once per key; the engine hands it to the assistant."""

    id = models.CharField(primary_key=True, max_length=26)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="interventions")
    key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - unique when known
    act = models.CharField(max_length=8, choices=Act)
    text = models.TextField(blank=True, default="")
    by = models.CharField(max_length=150)
    step = models.CharField(max_length=12, choices=Step, default=Step.ASKED)
    why = models.CharField(max_length=300, blank=True, default="")
    """Why it was refused, or why nobody knows."""
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)

    objects = InterventionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call", "key"], name="intervention_once", condition=Q(key__isnull=False))
        ]
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], name="intervention_waits", condition=Q(step__in=["asked", "sent"]))
        ]

    def __str__(self) -> str:
        return f"{self.act} by {self.by} ({self.step})"


class Preset(models.Model):
    """A whisper that is often needed, offered on the call page."""

    title = models.CharField(max_length=60, unique=True)
    words = models.CharField(max_length=500)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.title


class Price(models.Model):
    """What a model costs from a day on, in USD: per million tokens by kind, per minute for transcription by time.

    A price is never changed: a new one begins on its own day, so that what was computed can be computed again.
    """

    model = models.CharField(max_length=80)
    from_day = models.DateField()
    text_in = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    text_cached = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    text_out = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    audio_in = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    audio_cached = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    audio_out = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    image_in = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    image_cached = models.DecimalField(max_digits=9, decimal_places=4, default=0)
    per_minute = models.DecimalField(max_digits=9, decimal_places=4, default=0)

    class Meta:
        ordering: ClassVar = ["model", "-from_day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "from_day"], name="price_of_a_day")]

    def __str__(self) -> str:
        return f"{self.model} from {self.from_day}"


class Presence(models.Model):
    """Somebody has this call's page open; forgotten when it was not seen for a while."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="presences")
    who = models.CharField(max_length=150)
    seen_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="presence_seen")]

    def __str__(self) -> str:
        return f"{self.who} looks at {self.call_id}"
