"""What happened on a line before a flow begins; `World.manage` runs it in a shell of the app."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from callops.calls.models import Line
from callops.core.clock import now
from callops.transfers.models import LineBreaker, TransferAttempt
from tests.rows import make_refer


def silent_refers(number: str, count: int, *, minutes_ago: int) -> None:
    """So many REFERs of this line were never seen by the carrier."""
    line = Line.objects.get(number=number)
    for index in range(count):
        make_refer(line, now() - timedelta(minutes=minutes_ago, seconds=index), "unproven")


def let_pass(number: str, *, minutes: int) -> None:
    """Whatever was asked or probed on this line was asked and probed so many minutes earlier."""
    ago = timedelta(minutes=minutes)
    asked = TransferAttempt.objects.filter(call__line__number=number, refer_asked_at__isnull=False)
    asked.update(
        refer_asked_at=F("refer_asked_at") - ago,
        refer_deadline_at=F("refer_deadline_at") - ago,
        refer_seen_at=F("refer_seen_at") - ago,
    )
    LineBreaker.objects.filter(line__number=number).update(probe_at=F("probe_at") - ago)
