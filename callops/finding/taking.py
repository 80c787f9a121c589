"""Calls that were found, as a file: however many, only a handful of them is in memory at a time."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from callops.calls.models import Call
from callops.reports.plain import cell
from callops.reports.record import iso
from callops.transfers.models import TransferAttempt

AT_ONCE: Final = 500
COLUMNS: Final = (
    *("id", "started_at", "answered_at", "ended_at", "lasted_s", "state", "line", "from_number", "to_number"),
    *("topology", "carrier_call_sid", "ai_call_id", "correlation_method", "correlation_confidence", "ended_by"),
    *("failure_stage", "incomplete", "transfers", "mechanism", "outcome", "waited_s"),
)
"""`mechanism`, `outcome` and `waited_s` are of the call's last transfer; moments are UTC to the millisecond."""
_NUMBERS: Final = frozenset({"from_number", "to_number"})


def portion(found: QuerySet[Any], before: str | None) -> list[dict[str, Any]]:
    """The next rows of a file, newest first, after the call `before`; fewer than `AT_ONCE`: there are no more."""
    rows = found.order_by("-pk").select_related("line")
    calls = list((rows.filter(pk__lt=before) if before else rows)[:AT_ONCE])
    attempts: defaultdict[str, list[TransferAttempt]] = defaultdict(list)
    for attempt in TransferAttempt.objects.filter(call__in=[call.pk for call in calls]).order_by("pk"):
        attempts[attempt.call_id].append(attempt)
    return [_row(call, attempts[call.pk]) for call in calls]


def head_csv() -> str:
    """The names of the columns."""
    return ",".join(COLUMNS) + "\r\n"


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lines of CSV of which no cell is a formula; telephone numbers stay E.164."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(name, row[name]) for name in COLUMNS])
    return out.getvalue()


def as_json(rows: Sequence[Mapping[str, Any]], *, is_first: bool) -> str:
    """Members of a JSON list, one a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"{'' if is_first or not rows else ','}\n{lines}" if rows else ""


def _row(call: Call, attempts: Sequence[TransferAttempt]) -> dict[str, Any]:
    last = attempts[-1] if attempts else None
    of_call = (
        *(call.pk, iso(call.started_at), iso(call.answered_at), iso(call.ended_at)),
        *(_between(call.started_at, call.ended_at), call.state, call.line_name or None),
        *(call.from_number or None, call.to_number or None, call.topology, call.carrier_sid, call.ai_call_id),
        *(call.correlation_method, call.correlation_confidence, call.ended_by or None, call.failure_stage or None),
        call.incomplete,
    )
    moved = (last.mechanism, last.outcome, _between(last.requested_at, last.human_connected_at)) if last else [None] * 3
    return dict(zip(COLUMNS, (*of_call, len(attempts), *moved), strict=True))


def _cell(name: str, value: Any) -> str:
    is_number = name in _NUMBERS and str(value).removeprefix("+").isdecimal()
    return str(value) if is_number else cell(value)


def _between(began: datetime, ended: datetime | None) -> float | None:
    return None if ended is None else round((ended - began).total_seconds(), 3)
