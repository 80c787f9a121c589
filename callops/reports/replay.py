"""A call as it was known at a moment: the same record with everything later cut off, judged as it was then. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from callops.reports.record import KNOWN, CallRecord, Moving
from callops.transfers.because import explain
from callops.transfers.models import State
from callops.transfers.verdict import Fact, FactKind


def cut(record: CallRecord, at: datetime) -> CallRecord:
    """What was known at `at`: facts, lines begun, and transfers with the verdict their evidence gave by then."""
    return replace(
        record,
        made_at=at,
        happened=[row for row in record.happened if row.at <= at],
        said=[turn for turn in record.said if turn.at <= at],
        moves=[_then(move, at) for move in record.moves if move.requested_at <= at],
        pulse=[beat for beat in record.pulse if beat.at <= at],
    )


def _then(move: Moving, at: datetime) -> Moving:
    """The transfer with the evidence of that moment."""
    known = replace(move, evidence=[one for one in move.evidence if one.at <= at])
    verdict = known.verdict()
    facts = [Fact(FactKind(one.kind), one.at, one.detail) for one in known.evidence if one.kind in KNOWN]
    return replace(
        known,
        state=State.SETTLED if verdict.settled else State.RUNNING,
        mechanism=verdict.mechanism.value,
        outcome=verdict.outcome.value,
        because=explain(facts, label=move.label, asked_at=move.requested_at, switched=""),
        human_connected_at=verdict.connected_at,
        refer_asked_at=_by(move.refer_asked_at, at),
        refer_deadline_at=move.refer_deadline_at if _by(move.refer_asked_at, at) else None,
        refer_seen_at=_by(move.refer_seen_at, at),
    )


def _by(moment: datetime | None, at: datetime) -> datetime | None:
    return moment if moment is not None and moment <= at else None
