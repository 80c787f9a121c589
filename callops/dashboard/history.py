"""Calls of the past: filters, search and pages by key, with the whole state in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet

from callops.alerts.fates import with_fate
from callops.calls.models import Call, CallQuerySet
from callops.calls.search import matching
from callops.core.ids import first_id
from callops.dashboard.forms import ANY_FAILURE
from callops.people.standing import EVERYTHING, Scope
from callops.transfers.models import TransferAttempt

PAGE = 50
FILTERS = {
    "q": "the search",
    "state": "the state",
    "line": "the line",
    "mechanism": "the transfer",
    "stage": "the failure",
    "fate": "the caller",
    "since": "the beginning",
    "until": "the end",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, newest first, and the addresses of its neighbours (empty: there is none)."""

    rows: Sequence[Any]
    older: str
    newer: str


def calls(wanted: dict[str, Any], scope: Scope = EVERYTHING, *, numbers: bool = True) -> Page:
    """The page of calls that fit; each with its last transfer as `last_attempt`. Two queries.

    Without `numbers` a search finds calls by their ids only: else it would tell a number digit by digit.
    """
    page = keyset(scope.calls(_fitting(wanted, numbers=numbers)).select_related("line"), wanted)
    attempts = TransferAttempt.objects.filter(call__in=[call.pk for call in page.rows]).order_by("pk")
    last = {attempt.call_id: attempt for attempt in attempts}
    for call in page.rows:
        call.last_attempt = last.get(call.pk)
    return page


def keyset(found: QuerySet[Any], wanted: dict[str, Any]) -> Page:
    """One page of rows whose ids sort by time, before or after the id in the address."""
    if after := wanted.get("after"):
        rows = list(found.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        more_newer, more_older = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        before = wanted.get("before")
        rows = list((found.filter(pk__lt=before) if before else found).order_by("-pk")[: PAGE + 1])
        more_newer, more_older = bool(before), len(rows) > PAGE
        rows = rows[:PAGE]
    return Page(
        rows=rows,
        older=address(wanted, before=rows[-1].pk) if rows and more_older else "",
        newer=address(wanted, after=rows[0].pk) if rows and more_newer else "",
    )


def address(wanted: dict[str, Any], **cursor: str) -> str:
    """The query string of these filters, and of this cursor instead of the present one."""
    plain = {name: _plain(value) for name, value in wanted.items() if name not in ("before", "after")}
    return "?" + urlencode({**plain, **cursor})


def looser(wanted: dict[str, Any]) -> list[tuple[str, str]]:
    """Each filter that is set, by its name on the page, with the address without it."""
    left = {name: value for name, value in wanted.items() if name not in ("before", "after")}
    return [(FILTERS[name], address({key: left[key] for key in left if key != name})) for name in left]


def _plain(value: Any) -> Any:
    """A filter as it stands in an address."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return getattr(value, "pk", value)


def _fitting(wanted: dict[str, Any], *, numbers: bool = True) -> QuerySet[Any]:
    found = _failed(_began(Call.objects.all(), wanted), wanted)
    if state := wanted.get("state"):
        found = found.filter(state=state)
    if line := wanted.get("line"):
        found = found.filter(line=line)
    if mechanism := wanted.get("mechanism"):
        found = found.filter(Exists(TransferAttempt.objects.filter(call=OuterRef("pk"), mechanism=mechanism)))
    if words := wanted.get("q"):
        found = matching(found, words, numbers=numbers)
    return with_fate(found).filter(fate=fate) if (fate := wanted.get("fate")) else found


def _began(found: CallQuerySet, wanted: dict[str, Any]) -> CallQuerySet:
    """Calls that began in the time asked for, from its first moment to before its last."""
    if since := wanted.get("since"):
        found = found.filter(pk__gte=first_id(since))
    if until := wanted.get("until"):
        found = found.filter(pk__lt=first_id(until))
    return found


def _failed(found: CallQuerySet, wanted: dict[str, Any]) -> CallQuerySet:
    """Calls that failed at the stage asked for; a caller's fate is told only of calls that failed."""
    stage = wanted.get("stage")
    if stage and stage != ANY_FAILURE:
        return found.filter(failure_stage=stage)
    return found.exclude(failure_stage="") if stage or wanted.get("fate") else found
