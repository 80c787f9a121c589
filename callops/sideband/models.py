"""The AI's session on a call: who holds its socket, what was said, and every frame as it came."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from callops.calls.models import Call
from callops.sideband.signs import Signs

SESSION_LASTS = timedelta(minutes=60)
"""OpenAI ends a session then, whatever is being said (contract OpenAI 4.3)."""


class Speaker(models.TextChoices):
    CALLER = "caller", "caller"
    ASSISTANT = "assistant", "assistant"
    OPERATOR = "operator", "operator"
    TOOL = "tool", "tool"


class AiSession(models.Model):
    """One accepted AI call and the lease of the process that holds its sideband.

    `decision_until` is the claim on accept: one process decides, and a dead one loses the claim when it runs out.
    `lease_until` is the claim on the socket. Session words live on the call (`Call.ai_session`).
    """

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="sessions")
    ai_call_id = models.CharField(max_length=80, unique=True)
    position_base = models.PositiveIntegerField(default=0)
    """Where this session's turns begin: a caller who came back to the assistant has a second session."""
    invite_sid = models.CharField(max_length=64, blank=True, default="")
    """The carrier's leg as the INVITE named it: untrusted, and perhaps a leg nobody knows."""
    carrier_asked_at = models.DateTimeField(null=True, blank=True)
    """When the carrier was last asked whose leg that is; null: not yet."""
    carrier_asks = models.PositiveSmallIntegerField(default=0)
    carrier_answered_at = models.DateTimeField(null=True, blank=True)
    webhook_at = models.DateTimeField()
    created_at = models.DateTimeField()
    decision_owner = models.CharField(max_length=64, blank=True, default="")
    decision_until = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)
    """Since when the owner, who is about to leave, wants another engine to take the sideband over (`succession`)."""
    heir = models.CharField(max_length=64, blank=True, default="")
    heir_until = models.DateTimeField(null=True, blank=True)
    heir_at = models.DateTimeField(null=True, blank=True)
    """Since when the heir hears what the owner hears."""
    opened_at = models.DateTimeField(null=True, blank=True)
    """First time the sideband was open: the proof that the call lives."""
    dropped_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, blank=True, default="")
    heard_at = models.DateTimeField(null=True, blank=True)
    """The first word or key of the caller; null: nobody was heard on this session yet."""
    life_at = models.DateTimeField(null=True, blank=True)
    """The last sign of life: speech, a key, a tool at work, the assistant's playback."""
    busy = models.BooleanField(default=False)
    """The assistant answers, its words are being played, or a tool is at work, as far as the last frames told."""
    speech_began_at = models.DateTimeField(null=True, blank=True)
    speech_ended_at = models.DateTimeField(null=True, blank=True)
    """The caller's last words; began and not ended: they were speaking when the last frames came."""
    sound_began_at = models.DateTimeField(null=True, blank=True)
    sound_ended_at = models.DateTimeField(null=True, blank=True)
    """The last time the caller heard the assistant."""
    silence = models.CharField(max_length=12, blank=True, default="")
    silent_since = models.DateTimeField(null=True, blank=True)
    """Who makes no sound since when, as far as the last frames told (`quiet`)."""
    dead_air_at = models.DateTimeField(null=True, blank=True)
    """When dead air was last put on the timeline: once per spell."""
    promised_item = models.CharField(max_length=80, blank=True, default="")
    promised_from = models.DateTimeField(null=True, blank=True)
    promised_at = models.DateTimeField(null=True, blank=True)
    """The turn in which the assistant last said that it transfers; when it began, and when the caller had heard it."""
    missed_item = models.CharField(max_length=80, blank=True, default="")
    """The turn of which the timeline says that nothing was started."""
    ghost_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    """When it was said that the session's hour is nearly over."""
    usage = models.JSONField(default=dict)
    """Tokens by kind, and what is known to be missing from them (`usage.Usage`)."""
    frames = models.PositiveIntegerField(default=0)
    garbage = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["lease_until"], condition=Q(closed_at__isnull=True), name="session_unfinished"),
            models.Index(fields=["webhook_at"], name="session_webhook"),
            models.Index(fields=["offered_at"], condition=Q(offered_at__isnull=False), name="session_offered"),
        ]

    def __str__(self) -> str:
        return f"session {self.ai_call_id}"

    @property
    def signs(self) -> Signs:
        """The last signs of life that were kept."""
        return Signs(**{each.name: getattr(self, each.name) for each in fields(Signs)})


class Turn(models.Model):
    """One line of the transcript; `rev` is the call's `turn_rev` when it last changed."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="turns", db_index=False)
    """It begins two other indexes, and each word that is said is written to every index there is."""
    item_id = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    speaker = models.CharField(max_length=12, choices=Speaker)
    text = models.TextField(blank=True, default="")
    heard_chars = models.PositiveIntegerField(null=True, blank=True)
    """How many characters of `text` the caller heard before the assistant was cut off; null: all of it."""
    final = models.BooleanField(default=False)
    partial = models.BooleanField(default=False)
    """Final because the socket dropped: what was collected, perhaps not all that was said."""
    detail = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    rev = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["call_id", "position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["call", "item_id"], name="turn_item")]
        indexes: ClassVar = [models.Index(fields=["call", "rev"])]

    def __str__(self) -> str:
        return f"{self.speaker}: {self.text[:40]}"

    @property
    def heard(self) -> str:
        return self.text if self.heard_chars is None else self.text[: self.heard_chars]

    @property
    def unheard(self) -> str:
        return "" if self.heard_chars is None else self.text[self.heard_chars :]


class FrameBatch(models.Model):
    """Frames of one sideband exactly as they came, in order, compressed: nothing that passed is lost."""

    session = models.ForeignKey(AiSession, on_delete=models.CASCADE, related_name="batches", db_index=False)
    """It begins the index of `batch_once`."""
    first = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    """When the last frame of the batch was read."""
    packed = models.BinaryField()
    """zlib over JSON lines `{"t": unix ms, "f": frame}`; a frame that was not JSON is kept as a JSON string."""

    class Meta:
        ordering: ClassVar = ["session_id", "first"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "first"], name="batch_once")]

    def __str__(self) -> str:
        return f"frames {self.first}–{self.first + self.count - 1}"
