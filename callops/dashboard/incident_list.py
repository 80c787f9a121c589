"""The list of incidents: which of them, a page at a time by key, with the whole state in the address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import QueryDict

from callops.alerts.models import BY_HAND, IncidentQuerySet
from callops.dashboard.history import PAGE, Page
from callops.dashboard.outages import PERIODS, Period

SHOWN: Final = {
    "": "of this period",
    "open": "open",
    "unresolved": "not resolved",
    "mine": "mine",
    "all": "all",
}
"""What the list can be narrowed to, in the words of the page."""
_CURSOR: Final = re.compile(r"([01])-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; `before` or `after` is the row at the edge of another page."""

    period: Period
    show: str
    before: str = ""
    after: str = ""

    @property
    def pages(self) -> bool:
        """Whether it is another page than the first."""
        return bool(self.before or self.after)

    @property
    def periods(self) -> list[tuple[Period, str]]:
        """Every period with the address of the same list in it."""
        return [(period, _query(period=period.name, show=self.show)) for period in PERIODS.values()]

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        """Every choice of incidents, its words and its address."""
        return [(show, words, self._address(show)) for show, words in SHOWN.items()]

    def address(self, **cursor: str) -> str:
        """The same as the query of an address, at the list, with this cursor instead of the present one."""
        return self._address(self.show, **cursor)

    def _address(self, show: str, **cursor: str) -> str:
        return _query(period=self.period.name, show=show, **cursor) + "#incidents"


def wanted(query: QueryDict, period: Period) -> Wanted:
    """What an address asks for; what makes no sense is left out."""
    show = query.get("show", "")
    cursors = {name: query.get(name, "") for name in ("before", "after") if _CURSOR.fullmatch(query.get(name, ""))}
    return Wanted(period, show if show in SHOWN else "", **cursors)


def page(seen: IncidentQuerySet, asked: Wanted, *, since: datetime, user: User) -> Page:
    """What nobody has resolved or what goes on, then the others; the newest of each first. One query."""
    found = seen.filter(_shown(asked.show, since, user)).open_first()
    if asked.after:
        rows = list(found.filter(_beyond(asked.after, newer=True)).reverse()[: PAGE + 1])
        more_newer, more_older = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        older = found.filter(_beyond(asked.before, newer=False)) if asked.before else found
        rows = list(older[: PAGE + 1])
        more_newer, more_older = bool(asked.before), len(rows) > PAGE
        rows = rows[:PAGE]
    return Page(
        rows=rows,
        older=asked.address(before=_cursor(rows[-1])) if rows and more_older else "",
        newer=asked.address(after=_cursor(rows[0])) if rows and more_newer else "",
    )


def _shown(show: str, since: datetime, user: User) -> Q:
    if show == "mine":
        return Q(owner=user)
    if show == "unresolved":
        return Q(resolved_at__isnull=True)
    if show == "open":
        return Q(closed_at__isnull=True)
    recent = Q(closed_at__isnull=True) | Q(closed_at__gte=since) | Q(resolved_at__isnull=True, kind=BY_HAND)
    return Q() if show else recent


def _beyond(cursor: str, *, newer: bool) -> Q:
    """The rows before or after this one in the order of the list."""
    rank, key = (int(part) for part in cursor.split("-"))
    if newer:
        return Q(rank__lt=rank) | Q(rank=rank, pk__gt=key)
    return Q(rank__gt=rank) | Q(rank=rank, pk__lt=key)


def _cursor(row: Any) -> str:
    """Where a row stands in the list, also after it was resolved or closed."""
    return f"{row.rank}-{row.pk}"


def _query(**told: str) -> str:
    return "?" + urlencode({name: value for name, value in told.items() if value})
