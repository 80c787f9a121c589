"""What is known of calls: lines, destinations, calls, legs, events and how the halves were joined."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Expression, Q, Subquery, Value
from django.db.models.functions import Coalesce

from callops.calls.words import (
    Confidence,
    EndedBy,
    FailureStage,
    Lane,
    LegStatus,
    Method,
    Policy,
    Redaction,
    ReferTarget,
    Role,
    Runtime,
    Session,
    State,
    Topology,
)


class Destination(models.Model):
    """A person or desk callers may be sent to; `name` is the word the assistant's tool may use."""

    name = models.SlugField(max_length=64, unique=True)
    label = models.CharField(max_length=120)
    uri = models.CharField(max_length=255)
    next = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="before")
    screen = models.BooleanField(default=False)
    """Whoever answers is asked to press 1 first, so that a mailbox never takes a caller (contract Twilio 2.2)."""

    class Meta:
        ordering: ClassVar = ["label"]

    def __str__(self) -> str:
        return self.label


class Line(models.Model):
    """A number of ours that callers dial, and how its calls are answered and transferred."""

    number = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    topology = models.CharField(max_length=8, choices=Topology, default=Topology.TWIML)
    transfer_policy = models.CharField(max_length=32, choices=Policy, default=Policy.REFER_THEN_REDIRECT)
    refer_target = models.CharField(max_length=8, choices=ReferTarget, default=ReferTarget.TEL)
    refer_deadline_s = models.FloatField(null=True, blank=True)
    fallback = models.ForeignKey(Destination, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ai_retries = models.PositiveSmallIntegerField(default=1)
    """How often the AI is tried once more for a caller to whom nothing was said yet."""
    rescue_in_document = models.BooleanField(default=True)
    """The document that dials the AI goes on by itself to the next try and the fallback: good while we are down."""
    model = models.CharField(max_length=80, default="gpt-realtime-2.1")
    voice = models.CharField(max_length=40, default="marin")
    instructions = models.TextField(default="", blank=True)
    greeting = models.TextField(default="", blank=True)
    redact = models.JSONField(default=Redaction.usual, blank=True)  # what is said and not kept readable

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class CallQuerySet(models.QuerySet["Call"]):
    def unfinished(self) -> CallQuerySet:
        """Calls whose caller's leg is not known to be over."""
        return self.filter(state__in=State.unfinished())

    def on_board(self, since: Any) -> CallQuerySet:
        """Unfinished calls, and those that ended at this moment or later."""
        return self.filter(Q(state__in=State.unfinished()) | Q(ended_at__gte=since))

    def known_as(self, call_id: str | Expression) -> CallQuerySet:
        """The call with this id, or the one it became part of."""
        became = MergedCall.objects.filter(former_id=call_id).values("call_id")
        return self.filter(pk=Coalesce(Subquery(became), Value(call_id)))

    def newest_first(self) -> CallQuerySet:
        """Ids are time-ordered, so this is one index."""
        return self.order_by("-id")


class Call(models.Model):
    """One caller's call, from the first fact about it, whichever side that came from.

    `state` and the fields after it are derived from facts by `lifecycle`; nothing else writes them.
    """

    id = models.CharField(primary_key=True, max_length=26)
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls")
    from_number = models.CharField(max_length=64, blank=True, default="")
    to_number = models.CharField(max_length=64, blank=True, default="")
    topology = models.CharField(max_length=8, choices=Topology, default=Topology.TWIML)
    carrier_sid = models.CharField(max_length=64, null=True, blank=True, unique=True)
    ai_leg_sid = models.CharField(max_length=64, blank=True, default="")
    runtime = models.CharField(max_length=16, choices=Runtime, default=Runtime.REALTIME)
    ai_call_id = models.CharField(max_length=80, null=True, blank=True, unique=True)
    token = models.CharField(max_length=64, unique=True)
    """Unguessable, part of the URLs the carrier is handed for this call."""

    state = models.CharField(max_length=16, choices=State, default=State.RINGING)
    ai_session = models.CharField(max_length=16, choices=Session, default=Session.NONE)
    correlation_method = models.CharField(max_length=24, choices=Method, default=Method.NONE)
    correlation_confidence = models.CharField(max_length=16, choices=Confidence, default=Confidence.NONE)
    started_at = models.DateTimeField()
    ai_dialled_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=16, choices=EndedBy, blank=True, default="")
    end_wish = models.CharField(max_length=16, choices=EndedBy, blank=True, default="")
    """Who decided to end the call before it ended: the assistant by `end_call`, an operator by Hang up."""
    hangup_asked_at = models.DateTimeField(null=True, blank=True)
    failure_stage = models.CharField(max_length=24, choices=FailureStage, blank=True, default="")
    failure_seq = models.PositiveIntegerField(null=True, blank=True)
    """The number of the event that decided the stage (`stages.classify`)."""
    has_open_transfer = models.BooleanField(default=False)
    """Kept by the transfers room in the transaction that opens or settles an attempt."""
    caller_left_at = models.DateTimeField(null=True, blank=True)
    """The carrier said that the caller hung up."""
    ai_left_at = models.DateTimeField(null=True, blank=True)
    """The carrier said that the AI's leg was over while the caller was still on the line, and nobody had wished it."""
    carrier_check_at = models.DateTimeField(null=True, blank=True)
    """When the carrier is asked next whether this call is still up; null: no question is open."""
    carrier_checks = models.PositiveIntegerField(default=0)
    webhook_due_at = models.DateTimeField(null=True, blank=True)
    incomplete = models.BooleanField(default=False)
    """The transcript is known to miss something (a socket ended in mid-sentence, frames were not seen)."""
    last_seq = models.PositiveIntegerField(default=0)
    turn_rev = models.PositiveIntegerField(default=0)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            *(models.Index(fields=[name, "id"]) for name in ("state", "from_number", "failure_stage")),
            models.Index(fields=["line", "id"], name="call_line_id"),
            models.Index(fields=["ai_leg_sid"], name="call_ai_leg_sid"),
            *(
                models.Index(fields=[f"{name}_at"], condition=Q(**{f"{name}_at__isnull": False}), name=f"call_{name}")
                for name in ("webhook_due", "carrier_check", "ended")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_number or 'withheld'} to {self.to_number} ({self.state})"

    @property
    def is_over(self) -> bool:
        return self.state == State.ENDED

    @property
    def line_name(self) -> str:
        return self.line.name if self.line else ""


class MergedCall(models.Model):
    """The id under which a half was known before it became part of a call: old addresses lead on."""

    former_id = models.CharField(primary_key=True, max_length=26)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="merged")

    def __str__(self) -> str:
        return f"{self.former_id} is {self.call_id}"


class Leg(models.Model):
    """One leg at the carrier; its status only moves forward (contract Twilio 7).

    `screened`: its far end is asked to press 1 before anybody is bridged, so that *in progress* means no more than
    "picked up" until `accepted_at` (the status stays what the carrier said; `lifecycle` knows the difference).
    """

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    sid = models.CharField(max_length=64, unique=True)
    parent_sid = models.CharField(max_length=64, blank=True, default="")
    role = models.CharField(max_length=8, choices=Role)
    status = models.CharField(max_length=16, choices=LegStatus, default=LegStatus.INITIATED)
    sip_code = models.PositiveIntegerField(null=True, blank=True)
    screened = models.BooleanField(default=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    found_over = models.BooleanField(default=False)
    """Its end was found by asking; `ended_at` is when we asked."""

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.role} leg {self.sid} ({self.status})"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


class EventQuerySet(models.QuerySet["Event"]):
    def of_no_call(self) -> EventQuerySet:
        """Facts that are only in the log of the doors."""
        return self.filter(call__isnull=True)


class Event(models.Model):
    """One fact, written before it was acted on: on a call's timeline, or (no call) only in the log of the doors.

    `source` and `source_id` are the provider's own identity of the fact; a repetition is not written again.
    """

    call = models.ForeignKey(Call, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    lane = models.CharField(max_length=12, choices=Lane)
    kind = models.CharField(max_length=64)
    body = models.JSONField(default=dict)
    source = models.CharField(max_length=16, blank=True, default="")
    source_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - unique when known

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["call_id", "seq"]
        indexes: ClassVar = [models.Index(fields=["at"], name="event_of_no_call", condition=Q(call__isnull=True))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "source_id"], name="event_once", condition=Q(source_id__isnull=False)
            ),
            models.UniqueConstraint(fields=["call", "seq"], name="event_seq", condition=Q(call__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class Correlation(models.Model):
    """One judgement of which AI call belongs to which carrier call, with the reason."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="correlations")
    method = models.CharField(max_length=24, choices=Method)
    confidence = models.CharField(max_length=16, choices=Confidence)
    because = models.CharField(max_length=300)
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.method} ({self.confidence})"


class CallBackQuerySet(models.QuerySet["CallBack"]):
    def open(self) -> CallBackQuerySet:
        """Callers nobody has called back yet."""
        return self.filter(done_at__isnull=True)


class CallBack(models.Model):
    """A caller nobody could take: a task for a person. One is open per caller's number and number dialled.

    `times`: how often they called in vain; `call` is the latest of these calls. A blank `number` was withheld.
    """

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="call_backs")
    number = models.CharField(max_length=64, blank=True, default="")
    to_number = models.CharField(max_length=64, blank=True, default="")
    why = models.CharField(max_length=300)
    times = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=150, blank=True, default="")

    objects = CallBackQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["number", "to_number"],
                condition=Q(done_at__isnull=True) & ~Q(number=""),
                name="one_open_call_back",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["last_at"], condition=Q(done_at__isnull=True), name="call_back_open")]

    def __str__(self) -> str:
        return f"call back {self.number or 'a withheld number'}"
