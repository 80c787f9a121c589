"""What came of each line's test calls, as a series of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.utils.safestring import SafeString

from callops.canary.models import Result, Round
from callops.dashboard import charts
from callops.people.standing import Scope
from callops.transfers.models import Mechanism, Outcome

MOST: Final = 500
WELL, MOVED, FAILED, WAITING = "well", "moved", "failed", "waiting"


@dataclass(frozen=True, slots=True)
class Series:
    """One line's rounds in the period, newest first, and how they look from left to right."""

    line: str
    rounds: Sequence[Round]
    drawn: SafeString
    well: int


def read(since: datetime, scope: Scope) -> list[Series]:
    """The rounds since then, a series for each line seen; the newest `MOST` of all. One query."""
    rows = scope.calls(Round.objects.filter(asked_at__gte=since), "canary__")
    found: defaultdict[str, list[Round]] = defaultdict(list)
    for each in rows.select_related("canary__line", "attempt", "call")[:MOST]:
        found[each.canary.line.name].append(each)
    return [_series(line, found[line]) for line in sorted(found)]


def look(each: Round) -> str:
    """Well: a REFER brought the loop-back; moved: something else did; else failed, or under way."""
    if each.result == Result.UNDER_WAY:
        return WAITING
    if each.attempt is None or each.attempt.outcome != Outcome.CONNECTED:
        return FAILED
    return WELL if each.attempt.mechanism == Mechanism.REFER else MOVED


def said(each: Round) -> str:
    """What came of it, in words."""
    if each.attempt is None or each.result != Result.SETTLED:
        return each.get_result_display()
    return f"{each.attempt.get_mechanism_display()}, {each.attempt.get_outcome_display()}"


def _told(each: Round) -> str:
    return f"{each.asked_at.astimezone(UTC):%m-%d %H:%M} UTC: {said(each)}"


def _series(line: str, rounds: Sequence[Round]) -> Series:
    parts = [(f"canary-{look(each)}", _told(each)) for each in reversed(rounds)]
    drawn = charts.course(parts, "what came of the test calls; the list below says the same")
    return Series(line, rounds, drawn, sum(look(each) in (WELL, MOVED) for each in rounds))
