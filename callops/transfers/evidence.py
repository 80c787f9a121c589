"""Evidence comes in here: kept once, and the verdict judged again over all of it, in one transaction, for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from callops.calls import intake
from callops.calls.models import Call, Event
from callops.calls.words import Policy, Topology
from callops.core import bulk
from callops.core.notify import call_changed
from callops.core.prepared import Asked, PreparedRows
from callops.transfers import tries
from callops.transfers.because import explain, nobody_came
from callops.transfers.hearing import SILENCE, heard
from callops.transfers.held import Held
from callops.transfers.models import Evidence, State, TransferAttempt, Witness
from callops.transfers.tries import Try
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


@transaction.atomic(savepoint=False)
def add(
    of: str | Held,
    kind: FactKind,
    *,
    at: datetime,
    event: Event,
    detail: Mapping[str, Any] | None = None,
    witness: Witness | None = None,
) -> TransferAttempt:
    """The fact is evidence of the attempt, and the attempt says what all its evidence proves."""
    held = hold(of)
    word = witness or WITNESSES.get(kind, Witness.CARRIER)
    held.add(Evidence(attempt=held.attempt, kind=kind, witness=word, at=at, event=event, detail=dict(detail or {})))
    judge_again(held, now=at)
    held.save()
    tell_call(held.attempt, now=at)
    return held.attempt


def begin(attempt: TransferAttempt, asked: Evidence, *, now: datetime) -> Held:
    """The attempt has a row, with the wish as its first evidence and what that proves; its call is locked already and
    knows that a transfer of it is open.
    """
    held = Held(attempt)
    held.evidence = []
    held.add(asked)
    judge_again(held, now=now)
    held.begin()
    return held


def hold(of: str | Held) -> Held:
    """The attempt in hand, locked; one that this transaction has in hand stays as it is."""
    return of if isinstance(of, Held) else Held(locked(of))


def locked(attempt_id: str) -> TransferAttempt:
    """The attempt, locked for the rest of the transaction, and its call before it, in one statement.

    Everybody locks the call first (PostgreSQL keeps the order of `of`): two carrier requests about one caller wait for
    each other and never deadlock.
    """
    attempt = _LOCKED.first(pk=attempt_id)
    if attempt is None:
        raise TransferAttempt.DoesNotExist
    return attempt


def _rows_to_lock() -> QuerySet[TransferAttempt, TransferAttempt]:
    rows = TransferAttempt.objects.select_for_update(of=("call", "self")).select_related("call__line", "destination")
    return rows.filter(pk=Asked("pk"))


_LOCKED: Final = PreparedRows(_rows_to_lock)


def facts_of(attempt: TransferAttempt) -> list[Fact]:
    """All evidence of one attempt as the judge takes it; no query when it was prefetched."""
    held = Held(attempt)
    held.evidence = list(attempt.evidence.all())
    return held.facts


def tries_of(of: TransferAttempt | Held) -> list[Try]:
    """Every try of the transfer, as its evidence tells it."""
    attempt, facts = (of.attempt, of.facts) if isinstance(of, Held) else (of, facts_of(of))
    asked = tries.Asked(
        at=attempt.requested_at,
        label=attempt.target_label,
        uri=attempt.target_uri,
        refer_at=attempt.refer_asked_at,
        redirect_at=attempt.redirect_asked_at,
        redirect_tries=attempt.redirect_tries,
        ai_leg_end_at=attempt.ai_leg_ended_at,
        settled_at=attempt.settled_at,
    )
    return tries.tries_of(facts, asked)


def only_refer(attempt: TransferAttempt) -> bool:
    """Whether nothing but a REFER may move this caller: by policy, or because a trunk cannot be steered."""
    return attempt.policy == Policy.REFER_ONLY or attempt.call.topology == Topology.TRUNK


def why_nobody_came(of: TransferAttempt | Held) -> str:
    """What an assistant who gets the caller back may tell them: who was rung in vain, or that it was called off."""
    held = of if isinstance(of, Held) else Held(of)
    facts, label = held.facts, held.attempt.target_label
    if any(fact.kind == FactKind.CANCELLED for fact in facts):
        return f"The transfer to {label} was called off."
    return nobody_came(facts, label=label)


def judge_again(held: Held, *, now: datetime) -> None:
    """In hand the attempt says what all its evidence proves."""
    attempt, facts = held.attempt, held.facts
    verdict = judge(facts, refer_only=only_refer(attempt))
    attempt.mechanism = verdict.mechanism
    attempt.outcome = verdict.outcome
    attempt.human_connected_at = verdict.connected_at
    attempt.because = explain(
        facts, label=attempt.target_label, asked_at=attempt.requested_at, switched=_switched(attempt)
    )
    _settle(held, verdict, now)
    attempt.silence_ms = _silence_ms(attempt, facts)


def tell_call(attempt: TransferAttempt, *, now: datetime) -> None:
    """The call knows whether a transfer of it is open, and readers are notified on commit.

    Its state is judged again when that changed; whatever else it depends on is judged where it changes.
    """
    call = attempt.call
    still_open = attempt.is_open or TransferAttempt.objects.open().filter(call=call).exists()
    if call.has_open_transfer != still_open:
        call.has_open_transfer = still_open
        bulk.change(Call, call.pk, {"has_open_transfer": still_open})
        intake.rejudge(call.pk, now=now)
    call_changed(call.pk)


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


def _settle(held: Held, verdict: Verdict, now: datetime) -> None:
    """An attempt settles once; a late fact changes what it proves, never reopens it."""
    attempt = held.attempt
    if verdict.settled and attempt.state != State.SETTLED:
        attempt.state = State.SETTLED
        attempt.settled_at = now
        attempt.due_at = None
    elif not verdict.settled and attempt.state == State.PENDING and len(held.evidence) > 1:
        attempt.state = State.RUNNING
