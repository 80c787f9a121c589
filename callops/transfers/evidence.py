"""Evidence comes in here: kept once, and the verdict judged again over all of it, in one transaction, for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from callops.calls import intake
from callops.calls.models import Call, Event
from callops.calls.words import Policy, Topology
from callops.core.notify import call_changed
from callops.core.text import storable
from callops.transfers import tries
from callops.transfers.because import explain, nobody_came
from callops.transfers.hearing import SILENCE, heard
from callops.transfers.models import Evidence, State, TransferAttempt, Witness
from callops.transfers.tries import Asked, Try
from callops.transfers.verdict import Fact, FactKind, Verdict, judge

WITNESSES = {
    FactKind.ASKED: Witness.OPERATOR,
    FactKind.CANCELLED: Witness.OPERATOR,
    FactKind.REFER_ANSWERED: Witness.OPENAI,
    FactKind.REFER_UNANSWERED: Witness.CLOCK,
    FactKind.DEADLINE_PASSED: Witness.CLOCK,
    FactKind.REDIRECT_UNANSWERED: Witness.CLOCK,
    FactKind.GAVE_UP: Witness.CLOCK,
}

KNOWN = frozenset(FactKind)
"""A newer version may have written kinds that this one cannot judge."""


@transaction.atomic
def add(
    attempt_id: str,
    kind: FactKind,
    *,
    at: datetime,
    event: Event,
    detail: Mapping[str, Any] | None = None,
    witness: Witness | None = None,
) -> TransferAttempt:
    """The fact is evidence of the attempt, and the attempt says what all its evidence proves."""
    attempt = locked(attempt_id)
    word = witness or WITNESSES.get(kind, Witness.CARRIER)
    fact = {"at": at, "witness": word, "detail": storable(dict(detail or {}))}
    Evidence.objects.get_or_create(attempt=attempt, kind=kind, event=event, defaults=fact)
    return _apply(attempt, now=at)


def locked(attempt_id: str) -> TransferAttempt:
    """The attempt, locked for the rest of the transaction, and its call before it.

    Everybody locks the call first: two carrier requests about one caller wait for each other and never deadlock.
    """
    Call.objects.select_for_update(of=("self",)).get(transfers=attempt_id)
    rows = TransferAttempt.objects.select_for_update(of=("self",)).select_related("call__line", "destination")
    return rows.get(pk=attempt_id)


def facts_of(attempt: TransferAttempt) -> list[Fact]:
    """All evidence of one attempt as the judge takes it."""
    return [Fact(FactKind(row.kind), row.at, row.detail) for row in attempt.evidence.all() if row.kind in KNOWN]


def tries_of(attempt: TransferAttempt) -> list[Try]:
    """Every try of the transfer, as its evidence tells it."""
    asked = Asked(
        at=attempt.requested_at,
        label=attempt.target_label,
        uri=attempt.target_uri,
        refer_at=attempt.refer_asked_at,
        redirect_at=attempt.redirect_asked_at,
        redirect_tries=attempt.redirect_tries,
        ai_leg_end_at=attempt.ai_leg_ended_at,
        settled_at=attempt.settled_at,
    )
    return tries.tries_of(facts_of(attempt), asked)


def only_refer(attempt: TransferAttempt) -> bool:
    """Whether nothing but a REFER may move this caller: by policy, or because a trunk cannot be steered."""
    return attempt.policy == Policy.REFER_ONLY or attempt.call.topology == Topology.TRUNK


def why_nobody_came(attempt: TransferAttempt) -> str:
    """What an assistant who gets the caller back may tell them: who was rung in vain, or that it was called off."""
    facts = facts_of(attempt)
    if any(fact.kind == FactKind.CANCELLED for fact in facts):
        return f"The transfer to {attempt.target_label} was called off."
    return nobody_came(facts, label=attempt.target_label)


def _apply(attempt: TransferAttempt, *, now: datetime) -> TransferAttempt:
    facts = facts_of(attempt)
    verdict = judge(facts, refer_only=only_refer(attempt))
    attempt.mechanism = verdict.mechanism
    attempt.outcome = verdict.outcome
    attempt.human_connected_at = verdict.connected_at
    attempt.because = explain(
        facts, label=attempt.target_label, asked_at=attempt.requested_at, switched=_switched(attempt)
    )
    _settle(attempt, verdict, now)
    attempt.silence_ms = _silence_ms(attempt, facts)
    attempt.save()
    still_open = TransferAttempt.objects.open().filter(call_id=attempt.call_id).exists()
    Call.objects.filter(pk=attempt.call_id).update(has_open_transfer=still_open)
    intake.rejudge(attempt.call_id, now=now)
    call_changed(attempt.call_id)
    return attempt


def _switched(attempt: TransferAttempt) -> str:
    """What the line's breaker had to do with it, as a sentence; empty when nothing."""
    if not attempt.breaker_because:
        return ""
    led_to = ": the redirect went first." if attempt.redirect_first else "; this one was a probe: REFER went first."
    return f"{attempt.breaker_because}{led_to}"


def _silence_ms(attempt: TransferAttempt, facts: Sequence[Fact]) -> int | None:
    """How long the caller heard nothing from the wish until it settled."""
    until = attempt.settled_at
    if until is None:
        return None
    spans = heard(facts, asked_at=attempt.requested_at, label=attempt.target_label, settled_at=until)
    parts = (span.within(attempt.requested_at, until) for span in spans if span.words == SILENCE)
    return sum(part.duration_ms or 0 for part in parts if part)


def _settle(attempt: TransferAttempt, verdict: Verdict, now: datetime) -> None:
    """An attempt settles once; a late fact changes what it proves, never reopens it."""
    if verdict.settled and attempt.state != State.SETTLED:
        attempt.state = State.SETTLED
        attempt.settled_at = now
        attempt.due_at = None
    elif not verdict.settled and attempt.state == State.PENDING and attempt.evidence.count() > 1:
        attempt.state = State.RUNNING
