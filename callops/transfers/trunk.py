"""The REFER of a trunk call: its child call is the only witness, and nobody reports it (contract Twilio 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls.models import Event
from callops.calls.words import LegStatus, Topology
from callops.transfers import evidence
from callops.transfers.models import Mechanism, Outcome, State, TransferAttempt
from callops.transfers.strategies import watch_trunk_at
from callops.transfers.verdict import FactKind


@transaction.atomic
def child_seen(attempt_id: str, *, now: datetime, event: Event, status: Mapping[str, Any]) -> None:
    """A trunk call has a child: the REFER arrived, its target was dialled, and this is how the human's leg stands."""
    attempt = evidence.locked(attempt_id)
    TransferAttempt.objects.filter(pk=attempt_id, refer_seen_at__isnull=True).update(refer_seen_at=now)
    evidence.add(attempt_id, FactKind.CHILD_SEEN, at=now, event=event)
    word = status["status"]
    detail: dict[str, Any] = {"via": Mechanism.REFER, "label": attempt.target_label}
    if word == LegStatus.RINGING:
        evidence.add(attempt_id, FactKind.HUMAN_RINGING, at=now, event=event, detail=detail)
    elif word == LegStatus.IN_PROGRESS:
        evidence.add(attempt_id, FactKind.HUMAN_CONNECTED, at=now, event=event, detail=detail)
    elif status["is_over"]:
        detail |= {"dial_status": word, "more": False, "bridged": word == LegStatus.COMPLETED}
        evidence.add(attempt_id, FactKind.HUMAN_DIAL_ENDED, at=now, event=event, detail=detail)


def watch_on(attempt: TransferAttempt, *, now: datetime) -> None:
    """A trunk's REFER that settled as unknown is looked into again by a deadline of its own, for a while."""
    asked_at = attempt.refer_asked_at
    if attempt.call.topology != Topology.TRUNK or asked_at is None:
        return
    unknown = attempt.outcome == Outcome.UNKNOWN
    due_at = watch_trunk_at(asked_at, attempt.refer_seen_at, now) if unknown else None
    TransferAttempt.objects.filter(pk=attempt.pk, state=State.SETTLED).update(due_at=due_at)


def claim_late_look(attempt: TransferAttempt, *, now: datetime) -> bool:
    """The right to look once for a settled attempt; the look after it is a row already, should this process die."""
    asked_at = attempt.refer_asked_at
    due_at = watch_trunk_at(asked_at, attempt.refer_seen_at, now) if asked_at else None
    same = TransferAttempt.objects.filter(pk=attempt.pk, state=State.SETTLED, due_at=attempt.due_at)
    return same.update(due_at=due_at) == 1
