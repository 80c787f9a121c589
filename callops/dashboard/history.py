"""Calls of the past: filters, search and pages by key, with the whole state in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils.timezone import get_current_timezone

from callops.alerts.fates import with_fate
from callops.calls.models import Call, CallQuerySet
from callops.core.ids import first_id
from callops.dashboard.forms import ANY_FAILURE, HistoryForm
from callops.finding import calls as finding
from callops.finding.language import Query, parse
from callops.finding.snippets import Piece, holds, snippet
from callops.people.standing import EVERYTHING, Scope
from callops.sideband.models import Turn
from callops.transfers.models import TransferAttempt

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, newest first, and the addresses of its neighbours (empty: there is none)."""

    rows: Sequence[Any]
    older: str
    newer: str


@dataclass(frozen=True, slots=True)
class Found:
    """Where the words were said: the turn, and a few words around with those looked for marked."""

    turn: Turn
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Search:
    """Everything an address asks for, and for whom: the calls that fit are those this person may see."""

    wanted: dict[str, Any]
    query: Query
    at: datetime
    scope: Scope = EVERYTHING
    numbers: bool = True
    """Without it a search finds calls by ids and by words only: else it would tell a number digit by digit."""

    @property
    def asks(self) -> bool:
        """Whether anything is asked for: else every call fits."""
        return bool(self.query or set(self.wanted) - {"q", "before", "after"})

    def calls(self) -> QuerySet[Any]:
        """The calls that fit, in no order yet."""
        return self.scope.calls(
            finding.fitting(_fitting(self.wanted), self.query, now=self.at, numbers=self.numbers).select_related("line")
        )

    def address(self, **cursor: str) -> str:
        """The same as the query of an address."""
        return address(self.wanted, **cursor)


def asked(query: QueryDict, at: datetime, scope: Scope = EVERYTHING, *, numbers: bool = True) -> Search:
    """What an address asks for; filters that make no sense are left out, terms of the box that do not are told."""
    wanted = HistoryForm(query).wanted()
    if "line" in wanted and not scope.sees_line(wanted["line"].pk):
        del wanted["line"]
    typed = parse(wanted.get("q", ""), now=at, zone=get_current_timezone())
    return Search(wanted, typed, at, scope, numbers)


def calls(search: Search) -> Page:
    """The page of calls that fit; each with its `last_attempt`, and as `found` where the words were said.

    Two queries, and two for the words if there are any.
    """
    page = keyset(search.calls(), search.wanted)
    keys = [call.pk for call in page.rows]
    last = {each.call_id: each for each in TransferAttempt.objects.filter(call__in=keys).order_by("pk")}
    words = _words(search, keys)
    for call in page.rows:
        call.last_attempt = last.get(call.pk)
        call.found = words.get(call.pk)
    return page


def neighbours(search: Search, call: Call) -> tuple[str | None, str | None]:
    """The ids of the call before and after this one among those that fit: the newer, the older. Two queries."""
    found = search.calls()
    newer = found.filter(pk__gt=call.pk).order_by("pk").values_list("pk", flat=True).first()
    return newer, found.filter(pk__lt=call.pk).order_by("-pk").values_list("pk", flat=True).first()


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
    told = {name: plain(value) for name, value in wanted.items() if name not in ("before", "after")}
    return "?" + urlencode({**told, **cursor})


def _words(search: Search, keys: Sequence[str]) -> dict[str, Found]:
    """The first turn of each call that holds words looked for."""
    phrases = finding.said(search.query, numbers=search.numbers)
    if not phrases or not keys:
        return {}
    first: dict[str, int] = {}
    said = finding.turns(search.query, numbers=search.numbers).filter(call__in=keys).order_by("position", "pk")
    for pk, call_id, text in said.values_list("pk", "call_id", "text"):
        if call_id not in first and holds(text, phrases):
            first[call_id] = pk
    turns = Turn.objects.in_bulk(first.values())
    return {call_id: Found(turns[pk], snippet(turns[pk].text, phrases)) for call_id, pk in first.items() if pk in turns}


def plain(value: Any) -> Any:
    """A filter as it stands in an address."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return getattr(value, "pk", value)


def _fitting(wanted: dict[str, Any]) -> CallQuerySet:
    found = _failed(_began(Call.objects.all(), wanted), wanted)
    if state := wanted.get("state"):
        found = found.filter(state=state)
    if line := wanted.get("line"):
        found = found.filter(line=line)
    if mechanism := wanted.get("mechanism"):
        found = found.filter(Exists(TransferAttempt.objects.filter(call=OuterRef("pk"), mechanism=mechanism)))
    if fate := wanted.get("fate"):
        found = found.filter(pk__in=with_fate(found).filter(fate=fate).values("pk"))
    return found


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
