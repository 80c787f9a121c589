"""Which lines are tested how often, and every round of it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from callops.calls.models import Call, Destination, Line
from callops.transfers.models import TransferAttempt

SHORTEST_MIN, LONGEST_MIN = 10, 7 * 24 * 60


class Canary(models.Model):
    """A line that is tested: from which number it is called, and where the call is transferred. Off at first."""

    line = models.OneToOneField(Line, on_delete=models.CASCADE, related_name="canary")
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="+")
    """A number that answers by itself, for nobody: a loop-back."""
    from_number = models.CharField(
        max_length=16, validators=[RegexValidator(r"^\+[1-9][0-9]{5,14}$", "Give the number in E.164, like +15550188.")]
    )
    """A number of the Twilio account that nobody calls from: by it the test call is known."""
    every_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(SHORTEST_MIN), MaxValueValidator(LONGEST_MIN)]
    )
    longest_s = models.PositiveIntegerField(default=90, validators=[MinValueValidator(30), MaxValueValidator(300)])
    """A test call is over after this, whatever happens: its cost is bounded."""
    is_on = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["line__name"]

    def __str__(self) -> str:
        return f"canary of {self.line}"

    @property
    def every(self) -> timedelta:
        """From the beginning of one round to the next."""
        return timedelta(minutes=self.every_minutes)


class Result(models.TextChoices):
    """How far a round came; what the transfer proved stands with the transfer."""

    UNDER_WAY = "under_way", "under way"
    NOT_PLACED = "not_placed", "Twilio did not take the test call"
    NO_CALL = "no_call", "the test call never arrived"
    NO_AI = "no_ai", "the AI was not there"
    REFUSED = "refused", "the transfer could not be asked for"
    CUT_OFF = "cut_off", "the transfer did not settle in time"
    SETTLED = "settled", "the transfer settled"


class Round(models.Model):
    """One test call. A canary has one that is under way at a time."""

    canary = models.ForeignKey(Canary, on_delete=models.CASCADE, related_name="rounds")
    asked_at = models.DateTimeField()
    call = models.ForeignKey(Call, null=True, blank=True, on_delete=models.SET_NULL, related_name="canary_rounds")
    attempt = models.ForeignKey(TransferAttempt, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    result = models.CharField(max_length=12, choices=Result, default=Result.UNDER_WAY)
    because = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["canary"], condition=Q(ended_at__isnull=True), name="one_round_of_a_canary_at_a_time"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["canary", "-asked_at"], name="canary_round_asked")]

    def __str__(self) -> str:
        return f"{self.canary} at {self.asked_at:%Y-%m-%d %H:%M}: {self.result}"
