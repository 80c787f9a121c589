"""What became of callers whose calls failed: rescued, lost, or not decided yet."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When

from callops.calls.models import CallQuerySet, Leg
from callops.calls.words import LegStatus, Role, State
from callops.sideband.models import AiSession


class Fate(TextChoices):
    RESCUED = "rescued", "rescued"
    LOST = "lost", "lost"
    UNDER_WAY = "under_way", "under way"


def with_fate(calls: CallQuerySet) -> QuerySet[Any]:
    """The calls with `reached` (somebody was there: a human's leg was answered, or the AI opened after all) and `fate`.

    A call of which nothing failed also reached somebody when its AI leg was answered but never listened to.
    """
    talked = Q(answered_at__isnull=False) | Q(status__in=[LegStatus.IN_PROGRESS, LegStatus.COMPLETED])
    human = Leg.objects.filter(talked, call=OuterRef("pk"), role=Role.HUMAN)
    assistant = AiSession.objects.filter(call=OuterRef("pk"), opened_at__isnull=False)
    reached = Q(Exists(human)) | Q(Exists(assistant)) | Q(failure_stage="", answered_at__isnull=False)
    return calls.annotate(
        reached=Case(When(reached, then=True), default=False),
        fate=Case(
            When(reached=True, then=Value(Fate.RESCUED)),
            When(state=State.ENDED, then=Value(Fate.LOST)),
            default=Value(Fate.UNDER_WAY),
        ),
    )
