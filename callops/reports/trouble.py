"""The first thing that went wrong on a call: a fact that says so, or something that was not seen in time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callops.calls.kinds import Kind
from callops.reports.absences import Expected, missing
from callops.reports.record import CallRecord, Happening

_ALWAYS: Final = frozenset(
    {
        *(Kind.CARRIER_RECOVERY, Kind.CARRIER_ALERT, Kind.CARRIER_REDIRECT_UNANSWERED, Kind.OPENAI_ACCEPT_UNANSWERED),
        *(Kind.OPENAI_REFER_UNANSWERED, Kind.OPENAI_SIDEBAND_REFUSED, Kind.OPENAI_GHOST, Kind.OPENAI_ERROR),
        *(Kind.OPENAI_RESPONSE_FAILED, Kind.OPENAI_GARBAGE, Kind.US_ACCEPT_HELD_BACK, Kind.US_AI_LEFT, Kind.US_FAULT),
        *(Kind.US_ACT_LOST, Kind.CLOCK_WEBHOOK_MISSING, Kind.CLOCK_SAID_NOT_DONE, Kind.CLOCK_DEAD_AIR),
    }
)
_FAILED_DIALS: Final = frozenset({"failed", "busy", "no-answer"})


def first(record: CallRecord) -> Happening | Expected | None:
    """The earliest trouble; of a fact and an absence at the same moment the fact."""
    facts = [row for row in record.happened if is_trouble(row.kind, row.body)]
    unseen = missing(record)
    if not facts or not unseen:
        return (facts or unseen or [None])[0]
    return unseen[0] if unseen[0].deadline < facts[0].at else facts[0]


def is_trouble(kind: str, body: Mapping[str, Any]) -> bool:
    """Whether this fact by itself says that something went wrong."""
    if kind in _ALWAYS:
        return True
    if kind.endswith("_answered") and isinstance(body.get("status"), int):
        return not 200 <= body["status"] < 300
    return kind in (Kind.CARRIER_DIAL_ENDED, Kind.CARRIER_HUMAN_DIAL_ENDED) and body.get("dial_status") in _FAILED_DIALS
