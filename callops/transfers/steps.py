"""The rows behind each step of a transfer: a claim before any request, a fact after it.

A claim is a compare-and-set in the database: of two workers one sends, and what the carrier reported in between counts
(design.md, laws 1 and 5; contract Twilio 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Lane, Policy, ReferTarget
from callops.core.config import config
from callops.core.prepared import Asked, Prepared
from callops.transfers import asides, evidence, trunk
from callops.transfers.held import Held, can_be_steered
from callops.transfers.lookups import looks, was_answered
from callops.transfers.models import State, TransferAttempt
from callops.transfers.strategies import Answer, Situation, jitter
from callops.transfers.verdict import FactKind, ai_is_up

CALLER_IS_GONE = 21220
HUMAN_IS_DIALLED = frozenset({FactKind.HUMAN_RINGING, FactKind.SCREENING, FactKind.HUMAN_DIAL_ENDED})


class Told(Protocol):
    """How an exchange with a provider ended, as the providers' room tells it."""

    @property
    def status(self) -> int | None: ...
    @property
    def code(self) -> str | int | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def processing_ms(self) -> int | None: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def is_ok(self) -> bool: ...
    @property
    def is_lost(self) -> bool: ...
    @property
    def is_busy(self) -> bool: ...
    def body(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """What a process that won a claim must send, and to whom."""

    attempt: TransferAttempt
    ai_call_id: str
    carrier_sid: str
    ai_leg_sid: str
    target_uri: str


def situation_of(of: TransferAttempt | Held, now: datetime) -> Situation:
    """The attempt as the strategy sees it."""
    held = of if isinstance(of, Held) else Held(of)
    attempt, facts = held.attempt, held.facts
    moved = [at for at in (attempt.refer_seen_at, attempt.document_fetched_at) if at]
    looked = looks(facts, since=attempt.redirect_asked_at)
    refusal = next((fact for fact in reversed(facts) if fact.kind == FactKind.REDIRECT_ANSWERED), None)
    heard = [fact.at for fact in facts if moved and fact.kind in HUMAN_IS_DIALLED]
    steerable = held.is_steerable
    return Situation(
        now=now,
        policy=Policy(attempt.policy),
        steerable=steerable,
        redirect_first=attempt.redirect_first,
        refer_asked_at=attempt.refer_asked_at,
        refer_answer=Answer(attempt.refer_answer),
        refer_deadline_at=attempt.refer_deadline_at,
        refer_seen=attempt.refer_seen_at is not None,
        refer_refused=any(fact.kind == FactKind.REFER_REFUSED for fact in facts),
        deadline_passed=any(fact.kind == FactKind.DEADLINE_PASSED for fact in facts),
        redirect_asked_at=attempt.redirect_asked_at,
        redirect_answer=Answer(attempt.redirect_answer),
        redirect_tries=attempt.redirect_tries,
        retry_after_s=refusal.number("retry_after_s") if refusal else None,
        jitter=jitter(attempt.pk, attempt.redirect_tries),
        looked_up_at=attempt.looked_up_at,
        look_ups=len(looked),
        ai_leg_up=bool(looked) and ai_is_up(looked[-1]),
        ai_leg_over=held.ai_leg_is_over,
        ai_leg_ended_at=attempt.ai_leg_ended_at,
        ai_leg_answered=was_answered(facts, since=attempt.ai_leg_ended_at),
        summary_wanted=steerable and asides.summary_is_wanted(attempt),
        summary_asked_at=attempt.summary_asked_at,
        moved_at=max([*moved, *heard]) if moved else None,
    )


def is_steerable(call: Call) -> bool:
    """Whether the carrier can be asked to move this caller."""
    return can_be_steered(call, call.legs.all())


def due_attempts(now: datetime) -> list[str]:
    """Attempts to look at now, oldest first."""
    return [pk for pk, _ in _DUE(now=now)]


def next_due() -> datetime | None:
    """When the next attempt must be looked at."""
    return next((due_at for (due_at,) in _NEXT_DUE()), None)


def due_and_next(now: datetime) -> tuple[list[str], datetime | None]:
    """Attempts to look at now, and when one must be looked at next. One query while there is one to look at."""
    due = _DUE(now=now)
    return [pk for pk, _ in due], due[0][1] if due else next_due()


def wait_until(of: str | Held, at: datetime) -> None:
    """The attempt is looked at again then, unless something settles it before."""
    held = evidence.hold(of)
    if held.attempt.is_open:
        held.attempt.due_at = at
        held.save()


@transaction.atomic(savepoint=False)
def claim_refer(of: str | Held, *, now: datetime) -> Errand | None:
    """The right to send the REFER, once; its deadline runs from now."""
    held = evidence.hold(of)
    attempt = held.attempt
    if attempt.state == State.SETTLED or attempt.refer_asked_at or not attempt.call.ai_call_id:
        return None
    deadline_s = attempt.call.line.refer_deadline_s if attempt.call.line else None
    deadline_at = now + timedelta(seconds=deadline_s or config().refer_deadline_s)
    attempt.refer_asked_at, attempt.refer_deadline_at, attempt.due_at = now, deadline_at, deadline_at
    attempt.state = State.RUNNING
    held.save()
    target = refer_target(attempt)
    body = {"target_uri": target, "transfer": attempt.pk, "deadline_at": deadline_at.isoformat()}
    _event(attempt, now, Kind.US_REFER_ASKED, Lane.US, body)
    return _errand(attempt, target)


@transaction.atomic(savepoint=False)
def refer_answered(of: str | Held, told: Told, *, now: datetime) -> None:
    """OpenAI's answer to the REFER is evidence that it was asked, its absent headers included (contract OpenAI 5.1)."""
    held = evidence.hold(of)
    attempt = held.attempt
    answered = told.status is not None
    attempt.refer_answer = _answer(told)
    attempt.refer_status, attempt.refer_request_id = told.status, told.request_id
    attempt.refer_processing_ms, attempt.refer_duration_ms = told.processing_ms, told.duration_ms
    if not told.is_ok and not told.is_lost and attempt.state != State.SETTLED:
        attempt.refer_answer, attempt.due_at = Answer.REFUSED, now
    kind = Kind.OPENAI_REFER_ANSWERED if answered else Kind.OPENAI_REFER_UNANSWERED
    body = {**told.body(), "transfer": attempt.pk}
    event = _event(attempt, now, kind, Lane.OPENAI, body)
    fact = FactKind.REFER_ANSWERED if answered else FactKind.REFER_UNANSWERED
    detail = {**told.body(), "asked_at": _iso(attempt.refer_asked_at), "target": refer_target(attempt)}
    evidence.add(held, fact, at=now, event=event, detail=detail)


@transaction.atomic(savepoint=False)
def pass_deadline(of: str | Held, *, now: datetime) -> None:
    """The REFER's deadline passed unseen: a fact of the clock, once. What comes later still counts."""
    held = evidence.hold(of)
    attempt = held.attempt
    if attempt.refer_seen_at or not attempt.refer_deadline_at or not attempt.refer_asked_at:
        return
    deadline_s = (attempt.refer_deadline_at - attempt.refer_asked_at).total_seconds()
    event = timeline.append(
        attempt.call,
        at=now,
        kind=Kind.CLOCK_REFER_DEADLINE,
        lane=Lane.CLOCK,
        body={"deadline_s": deadline_s, "transfer": attempt.pk},
        source="callops",
        source_id=f"refer-deadline:{attempt.pk}",
    )
    if event is not None:
        evidence.add(held, FactKind.DEADLINE_PASSED, at=now, event=event, detail={"deadline_s": deadline_s})
        trunk.watch_on(attempt, now=now)


@transaction.atomic(savepoint=False)
def claim_redirect(of: str | Held, *, tries: int, now: datetime) -> Errand | None:
    """The right to send the redirect of this try; lost as soon as the carrier reported that the caller was moved."""
    held = evidence.hold(of)
    attempt = held.attempt
    moved = attempt.refer_seen_at or attempt.document_fetched_at
    if attempt.state == State.SETTLED or moved or attempt.redirect_tries != tries:
        return None
    if not held.is_steerable:
        return None
    attempt.redirect_tries = tries + 1
    attempt.redirect_asked_at, attempt.redirect_answer, attempt.due_at = now, Answer.NONE, now + timedelta(seconds=2)
    attempt.state = State.RUNNING
    held.save()
    body = {"sid": attempt.call.carrier_sid, "transfer": attempt.pk, "tries": attempt.redirect_tries}
    _event(attempt, now, Kind.US_REDIRECT_ASKED, Lane.US, body)
    return _errand(attempt, attempt.target_uri)


@transaction.atomic(savepoint=False)
def redirect_answered(of: str | Held, told: Told, *, now: datetime) -> None:
    """The carrier's answer proves that the redirect was asked; 21220: the caller is gone (contract Twilio 3.5)."""
    held = evidence.hold(of)
    attempt = held.attempt
    attempt.redirect_answer = _answer(told)
    attempt.redirect_status = told.status
    attempt.redirect_error_code = told.code if isinstance(told.code, int) else None
    attempt.due_at = now if attempt.state != State.SETTLED else attempt.due_at
    answered = told.status is not None
    kind = Kind.CARRIER_REDIRECT_ANSWERED if answered else Kind.CARRIER_REDIRECT_UNANSWERED
    event = _event(attempt, now, kind, Lane.CARRIER, {**told.body(), "transfer": attempt.pk})
    fact = FactKind.REDIRECT_ANSWERED if answered else FactKind.REDIRECT_UNANSWERED
    detail = {**told.body(), "asked_at": _iso(attempt.redirect_asked_at)}
    evidence.add(held, fact, at=now, event=event, detail=detail)
    if told.code == CALLER_IS_GONE:
        evidence.add(held, FactKind.CALLER_LEFT, at=now, event=event)
        Call.objects.filter(pk=attempt.call_id).update(carrier_check_at=now, carrier_checks=0)


@transaction.atomic(savepoint=False)
def claim_end_of_ai_leg(of: str | Held, *, now: datetime, before: datetime | None = None) -> Errand | None:
    """The right to end the AI's leg, so that the dial's `action` takes the caller on (contract Twilio 3.2).

    Once, and once more for each process that claimed it (`before`) and died before it wrote down an answer.
    """
    held = evidence.hold(of)
    attempt = held.attempt
    moved = attempt.refer_seen_at or attempt.document_fetched_at
    if attempt.state == State.SETTLED or attempt.ai_leg_ended_at != before or moved:
        return None
    attempt.ai_leg_ended_at, attempt.due_at = now, now
    held.save()
    return _errand(attempt, attempt.target_uri)


@transaction.atomic(savepoint=False)
def give_up(of: str | Held, *, now: datetime, why: str) -> None:
    """No step is left that could move the caller: said, once, and settled as what the evidence proves."""
    held = evidence.hold(of)
    attempt = held.attempt
    if attempt.state == State.SETTLED:
        attempt.due_at = None
        held.save()
        return
    event = timeline.append(
        attempt.call,
        at=now,
        kind=Kind.CLOCK_HUMAN_DEADLINE,
        lane=Lane.CLOCK,
        body={"why": why, "transfer": attempt.pk},
        source="callops",
        source_id=f"gave-up:{attempt.pk}",
    )
    if event is not None:
        evidence.add(held, FactKind.GAVE_UP, at=now, event=event, detail={"why": why})


_DUE = Prepared(lambda: TransferAttempt.objects.due(Asked("now")).order_by("due_at").values_list("pk", "due_at")[:200])
_NEXT_DUE = Prepared(
    lambda: TransferAttempt.objects.filter(due_at__isnull=False).order_by("due_at").values_list("due_at")[:1]
)


def refer_target(attempt: TransferAttempt) -> str:
    """How the REFER names the destination: as the line wants it, `tel:` or `sip:` (contract OpenAI 3.3, 5.1)."""
    wanted = attempt.call.line.refer_target if attempt.call.line else ReferTarget.TEL
    if wanted == ReferTarget.SIP and attempt.target_uri.startswith("tel:"):
        return f"sip:{attempt.target_uri.removeprefix('tel:')}@sip.twilio.com"
    return attempt.target_uri


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _errand(attempt: TransferAttempt, target: str) -> Errand:
    call = attempt.call
    return Errand(attempt, call.ai_call_id or "", call.carrier_sid or "", call.ai_leg_sid, target)


def _event(attempt: TransferAttempt, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any]) -> Event:
    return timeline.note(attempt.call, at=at, kind=kind, lane=lane, body=body)


def _answer(told: Told) -> Answer:
    if told.is_ok:
        return Answer.OK
    if told.is_lost:
        return Answer.LOST
    return Answer.BUSY if told.is_busy else Answer.REFUSED
