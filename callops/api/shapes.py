"""Rows turned into the shapes of the API; what is not known becomes null."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.db.models import Prefetch

from callops.api import schemas
from callops.calls.models import Call, Event
from callops.sideband.models import Turn
from callops.supervision.models import Act, Intervention, Step
from callops.transfers.evidence import tries_of
from callops.transfers.held import Held
from callops.transfers.models import AttemptQuerySet, Evidence, TransferAttempt
from callops.transfers.tries import Try


def call(row: Call) -> schemas.Call:
    """A call as lists show it."""
    return schemas.Call(**_call(row))


def whole_call(row: Call, turns: Iterable[Turn], attempts: Iterable[TransferAttempt]) -> schemas.WholeCall:
    """A call with its transcript and its transfers."""
    return schemas.WholeCall(
        **_call(row), transcript=[turn(said) for said in turns], transfers=[transfer(attempt) for attempt in attempts]
    )


def _call(row: Call) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "from_number": row.from_number or None,
        "to_number": row.to_number or None,
        "line": row.line_name or None,
        "carrier": {"call_sid": row.carrier_sid, "ai_leg_sid": row.ai_leg_sid or None, "topology": row.topology},
        "ai": {"runtime": row.runtime, "call_id": row.ai_call_id, "session": row.ai_session},
        "correlation": {"method": row.correlation_method, "confidence": row.correlation_confidence},
        "started_at": row.started_at,
        "answered_at": row.answered_at,
        "ended_at": row.ended_at,
        "ended_by": row.ended_by or None,
        "failure_stage": row.failure_stage or None,
        "incomplete": row.incomplete,
    }


def turn(row: Turn) -> schemas.Turn:
    """One line of the transcript."""
    return schemas.Turn(id=row.item_id, speaker=row.speaker, text=row.text, final=row.final, started_at=row.started_at)


def event(row: Event) -> schemas.Event:
    """One fact of the timeline."""
    return schemas.Event(seq=row.seq, at=row.at, kind=row.kind, lane=row.lane, body=row.body)


def with_evidence(attempts: AttemptQuerySet) -> AttemptQuerySet:
    """The attempts with all that `transfer` reads, in a constant number of queries."""
    evidence = Evidence.objects.select_related("event").order_by("at", "id")
    return attempts.select_related("call", "destination").prefetch_related(Prefetch("evidence", evidence))


def transfer(row: TransferAttempt) -> schemas.Transfer:
    """One wish to move a caller, and what is known to have come of it."""
    return _transfer(row, row.evidence.all(), tries_of(row))


def transfer_in_hand(held: Held) -> schemas.Transfer:
    """The same of a transfer that was asked for just now, without a look into the database."""
    return _transfer(held.attempt, held.evidence, tries_of(held))


def _transfer(row: TransferAttempt, evidence: Iterable[Evidence], tries: Iterable[Try]) -> schemas.Transfer:
    return schemas.Transfer(
        id=row.pk,
        call_id=row.call_id,
        state=row.state,
        mechanism=row.mechanism,
        outcome=row.outcome,
        policy=row.policy,
        destination=schemas.Destination(name=row.destination.name if row.destination else None, uri=row.target_uri),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        settled_at=row.settled_at,
        human_connected_at=row.human_connected_at,
        time_to_human_ms=row.time_to_human_ms,
        refer=_refer(row),
        redirect=_redirect(row),
        evidence=[
            schemas.Evidence(kind=fact.kind, witness=fact.witness, at=fact.at, event_seq=fact.event.seq)
            for fact in evidence
        ],
        because=row.because,
        tries=[_try(each) for each in tries],
    )


def _try(each: Try) -> schemas.Try:
    told = {
        field.name: getattr(each, field.name) for field in fields(each) if field.name not in ("method", "end", "heard")
    }
    heard = [schemas.Heard(words=span.words, started_at=span.start, ended_at=span.end) for span in each.heard]
    return schemas.Try(**told, method=each.method.value, end=each.end.value, heard=heard)


def _refer(row: TransferAttempt) -> schemas.Refer | None:
    if row.refer_asked_at is None and row.refer_seen_at is None:
        return None
    return schemas.Refer(
        asked_at=row.refer_asked_at,
        http_status=row.refer_status,
        request_id=row.refer_request_id,
        processing_ms=row.refer_processing_ms,
        duration_ms=row.refer_duration_ms,
        deadline_at=row.refer_deadline_at,
        seen_by_carrier_at=row.refer_seen_at,
    )


def _redirect(row: TransferAttempt) -> schemas.Redirect | None:
    if row.redirect_asked_at is None:
        return None
    return schemas.Redirect(
        asked_at=row.redirect_asked_at,
        http_status=row.redirect_status,
        error_code=row.redirect_error_code,
        document_fetched_at=row.document_fetched_at,
    )


def intervention(row: Intervention) -> schemas.Intervention:
    """One act in a conversation."""
    return schemas.Intervention(
        id=row.pk,
        call_id=row.call_id,
        act=Act(row.act),
        text=row.text,
        requested_by=row.by,
        step=Step(row.step),
        why=row.why,
        asked_at=row.asked_at,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        seen_at=row.seen_at,
    )
