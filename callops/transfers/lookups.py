"""What the carrier told when it was asked about the legs of a transfer, and what came of ending the AI's leg."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls.models import Event
from callops.transfers import evidence
from callops.transfers.verdict import Fact, FactKind, in_order


def looks(facts: Iterable[Fact], *, since: datetime | None) -> list[Fact]:
    """When the carrier was asked after the last redirect, and what it told, in order."""
    told = [fact for fact in in_order(facts) if fact.kind == FactKind.LOOKED_UP]
    return [fact for fact in told if since is not None and fact.at > since]


def was_answered(facts: Iterable[Fact], *, since: datetime | None) -> bool:
    """Whether whoever was to end the AI's leg then wrote down what came of it; if not, that process may be gone."""
    return since is not None and any(fact.kind == FactKind.AI_LEG_END_ANSWERED and fact.at >= since for fact in facts)


@transaction.atomic
def looked_up(
    attempt_id: str, *, now: datetime, event: Event, is_over: bool, caller: str | None = None, ai_leg: str | None = None
) -> None:
    """The carrier was asked how the legs are (None: it did not tell); when the caller's is over the caller left."""
    held = evidence.hold(attempt_id)
    held.attempt.looked_up_at = now
    evidence.add(held, FactKind.LOOKED_UP, at=now, event=event, detail={"caller": caller, "ai_leg": ai_leg})
    if held.attempt.is_open:
        held.attempt.due_at = now
        held.save()
    if is_over:
        evidence.add(held, FactKind.CALLER_LEFT, at=now, event=event)


@transaction.atomic
def ai_leg_end_answered(attempt_id: str, answer: Mapping[str, Any], *, now: datetime, event: Event) -> None:
    """What was answered to our wish to end the AI's leg: a part of the record, no proof of anything."""
    held = evidence.hold(attempt_id)
    asked_at = held.attempt.ai_leg_ended_at
    detail = {**answer, "asked_at": asked_at.isoformat() if asked_at else None}
    evidence.add(held, FactKind.AI_LEG_END_ANSWERED, at=now, event=event, detail=detail)
