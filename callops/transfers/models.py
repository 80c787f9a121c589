"""A wish to move a caller to a human, what was tried, and what witnesses said."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Case, CharField, Exists, Expression, F, OuterRef, Q, Value, When

from callops.calls.models import Call, Destination, Event, Line
from callops.calls.words import Policy
from callops.transfers.health import Fate


class State(models.TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    SETTLED = "settled", "settled"


class Mechanism(models.TextChoices):
    """What did the work, as the pages say it (interface.md section 6)."""

    REFER = "refer", "SIP REFER"
    REDIRECT = "redirect", "Twilio redirect"
    DIAL_ACTION = "dial_action", "Twilio dial action"
    NONE = "none", "Nothing moved the caller"
    UNKNOWN = "unknown", "Unproven"


class Outcome(models.TextChoices):
    PENDING = "pending", "pending"
    CONNECTED = "connected", "connected"
    NO_ANSWER = "no_answer", "no answer"
    BUSY = "busy", "busy"
    FAILED = "failed", "failed"
    CALLER_LEFT = "caller_left", "caller left"
    CANCELLED = "cancelled", "cancelled"
    UNKNOWN = "unknown", "unknown"


class Company(models.TextChoices):
    """What the assistant was last told of a transfer while it had the caller."""

    NONE = "", "nothing"
    WAITING = "waiting", "that the caller waits"
    OVER = "over", "how it ended"


class Witness(models.TextChoices):
    OPENAI = "openai", "OpenAI"
    CARRIER = "carrier", "Twilio"
    OPERATOR = "operator", "operator"
    CLOCK = "clock", "clock"


class Force(models.TextChoices):
    """What an operator may ask of a line's breaker."""

    AUTO = "auto", "automatic"
    OPEN = "open", "forced open"
    CLOSED = "closed", "forced closed"


class AttemptQuerySet(models.QuerySet["TransferAttempt"]):
    def open(self) -> AttemptQuerySet:
        """Attempts for which a further step is planned."""
        return self.exclude(state=State.SETTLED)

    def due(self, now: Any) -> AttemptQuerySet:
        """Attempts whose next look or step is due; a settled one may still be watched for a late witness."""
        return self.filter(due_at__lte=now)

    def referred(self, now: datetime | Expression) -> models.QuerySet[Any]:
        """Attempts that asked for a REFER, each with its `fate`: a `health.Fate`, or null while it is not known.

        A REFER that nobody saw because the caller was gone or moved before its deadline had no chance: never known.
        """
        told_no = Evidence.objects.filter(attempt=OuterRef("pk"), kind="refer_refused")
        refused = Q(refer_answer__in=("refused", "busy")) | Exists(told_no)
        deadline = F("refer_deadline_at")
        cut_short = Q(document_fetched_at__lt=deadline) | Q(settled_at__lt=deadline)
        fate = Case(
            When(refer_seen_at__gt=deadline, then=Value(Fate.LATE.value)),
            When(refer_seen_at__isnull=False, then=Value(Fate.PROVEN.value)),
            When(refused, then=Value(Fate.REFUSED.value)),
            When(cut_short, then=Value(None)),
            When(refer_deadline_at__lte=now, then=Value(Fate.UNPROVEN.value)),
            default=None,
            output_field=CharField(null=True),
        )
        return self.filter(refer_asked_at__isnull=False).annotate(fate=fate)


class TransferAttempt(models.Model):
    """One wish to move one caller; `mechanism`, `outcome` and `because` are the verdict on its evidence."""

    id = models.CharField(primary_key=True, max_length=26)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="transfers")
    key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - unique when given
    token = models.CharField(max_length=64, unique=True)
    """Unguessable, the transfer document's address at our door."""
    destination = models.ForeignKey(Destination, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    target_uri = models.CharField(max_length=255)
    target_label = models.CharField(max_length=120)
    target_screened = models.BooleanField(default=False)
    policy = models.CharField(max_length=32, choices=Policy)
    redirect_first = models.BooleanField(default=False)
    """Decided once, when it was asked for: the line's breaker was open, so no REFER goes before the redirect."""
    breaker_because = models.CharField(max_length=600, blank=True, default="")
    """Why the redirect goes first, or why this one is a probe; empty when the breaker was closed or not asked."""
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, default="")
    summary = models.TextField(blank=True, default="")
    """For the person who takes the call: the assistant's own words, or its answer when it was asked for them."""
    summary_asked_at = models.DateTimeField(null=True, blank=True)
    model = models.CharField(max_length=80, blank=True, default="")
    """The assistant's model when it was asked for; empty when that is not known."""

    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    mechanism = models.CharField(max_length=16, choices=Mechanism, default=Mechanism.UNKNOWN)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.PENDING)
    because = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)
    """When the engine looks at this attempt next; null: never again by itself."""
    settled_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    human_connected_at = models.DateTimeField(null=True, blank=True)
    silence_ms = models.PositiveIntegerField(null=True, blank=True)
    """How long the caller heard nothing until it settled (`hearing`); null: not settled, or older than this field."""

    company = models.CharField(max_length=8, choices=Company, blank=True, default=Company.NONE)

    refer_asked_at = models.DateTimeField(null=True, blank=True)
    refer_answer = models.CharField(max_length=12, blank=True, default="")
    refer_status = models.PositiveIntegerField(null=True, blank=True)
    refer_request_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001 - absent is evidence
    refer_processing_ms = models.PositiveIntegerField(null=True, blank=True)
    refer_duration_ms = models.PositiveIntegerField(null=True, blank=True)
    refer_deadline_at = models.DateTimeField(null=True, blank=True)
    refer_seen_at = models.DateTimeField(null=True, blank=True)
    redirect_asked_at = models.DateTimeField(null=True, blank=True)
    redirect_tries = models.PositiveIntegerField(default=0)
    redirect_answer = models.CharField(max_length=12, blank=True, default="")
    redirect_status = models.PositiveIntegerField(null=True, blank=True)
    redirect_error_code = models.PositiveIntegerField(null=True, blank=True)
    looked_up_at = models.DateTimeField(null=True, blank=True)
    ai_leg_ended_at = models.DateTimeField(null=True, blank=True)
    document_fetched_at = models.DateTimeField(null=True, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("type_number", "Can send callers to an address that is not in the directory")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call"], condition=~Q(state="settled"), name="one_open_transfer"),
            models.UniqueConstraint(fields=["call", "key"], condition=Q(key__isnull=False), name="transfer_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="transfer_due"),
            models.Index(
                fields=["-refer_asked_at"], condition=Q(refer_asked_at__isnull=False), name="transfer_referred"
            ),
            models.Index(fields=["requested_by", "requested_at"], name="transfer_by"),
            models.Index(fields=["company"], condition=Q(company="waiting"), name="transfer_company"),
        ]

    def __str__(self) -> str:
        return f"transfer of {self.call_id} to {self.target_label} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state != State.SETTLED

    @property
    def time_to_human_ms(self) -> int | None:
        """From the wish to the bridge, in milliseconds."""
        if self.human_connected_at is None:
            return None
        return round((self.human_connected_at - self.requested_at).total_seconds() * 1000)


class Approval(models.Model):
    """A wish to send a caller to a typed address that a second person has to approve; good for `GOOD_FOR_S`."""

    GOOD_FOR_S: ClassVar[float] = 120.0

    id = models.CharField(primary_key=True, max_length=26)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="approvals")
    key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - unique when given
    uri = models.CharField(max_length=255)
    policy = models.CharField(max_length=32, choices=Policy, blank=True, default="")
    summary = models.TextField(blank=True, default="")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    attempt = models.ForeignKey(TransferAttempt, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What came of it; null: nothing yet, or it was declined."""

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["call"], condition=Q(decided_at__isnull=True), name="approval_open"),
        ]

    def __str__(self) -> str:
        return f"{self.asked_by} to {self.uri}"

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be decided."""
        return self.decided_at is None and (now - self.asked_at).total_seconds() <= self.GOOD_FOR_S


class Evidence(models.Model):
    """One fact about one attempt and whose word it is; the input of `verdict.judge`."""

    attempt = models.ForeignKey(TransferAttempt, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=40)
    witness = models.CharField(max_length=12, choices=Witness)
    at = models.DateTimeField()
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    detail = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "kind", "event"], name="evidence_once")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.witness}"


class LineBreaker(models.Model):
    """What an operator last asked of a line's breaker, and when a transfer was last made a probe."""

    line = models.OneToOneField(Line, on_delete=models.CASCADE, related_name="breaker")
    force = models.CharField(max_length=8, choices=Force, default=Force.AUTO)
    forced_by = models.CharField(max_length=150, blank=True, default="")
    forced_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=300, blank=True, default="")
    probe_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"breaker of {self.line_id} ({self.force})"


class BreakerAct(models.Model):
    """Somebody forced a breaker, or gave it back to itself. Only ever added."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="breaker_acts")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    force = models.CharField(max_length=8, choices=Force)
    why = models.CharField(max_length=300)
    TYPED: ClassVar = ("why",)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.line_id} {self.force} by {self.by}"
