"""The transfers of a period as the figures take them, and those of them that an address asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Min
from django.utils.dateparse import parse_datetime

from callops.calls.models import Line
from callops.calls.numbers import international
from callops.core.ids import first_id
from callops.dashboard.history import plain
from callops.dashboard.outages import Period
from callops.people.standing import Scope
from callops.transfers.commands import CANARY
from callops.transfers.figures import FATES, KEYS, Moved, Way, redirect_fate, refer_fate
from callops.transfers.models import Evidence, Mechanism, TransferAttempt
from callops.transfers.verdict import FactKind

MOST: Final = 20_000
"""So many transfers, the newest, are looked at."""
_COLUMNS: Final = (
    *("pk", "requested_at", "call__line", "target_uri", "model", "mechanism", "refer_asked_at", "requested_by"),
    *("redirect_asked_at", "redirect_answer", "settled_at", "human_connected_at", "silence_ms"),
)


@dataclass(frozen=True, slots=True)
class Span(Period):
    """How far the page looks back, and how finely it counts; its name is its days."""

    @property
    def days(self) -> int:
        """The same as a number."""
        return self.span.days


SPANS: Final = {
    "1": Span("1", "24 hours", timedelta(days=1), timedelta(hours=2), "2 hours"),
    "7": Span("7", "7 days", timedelta(days=7), timedelta(hours=12), "12 hours"),
    "30": Span("30", "30 days", timedelta(days=30), timedelta(days=2), "2 days"),
}
USUAL: Final = "7"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the transfers are listed: those behind a bar or a number."""

    since: datetime | None = None
    until: datetime | None = None
    way: str = ""
    fate: str = ""
    mechanism: str = ""
    by: str = ""
    group: str = ""

    def takes(self, moved: Moved) -> bool:
        """Whether this transfer is one of them."""
        if (self.since and moved.asked_at < self.since) or (self.until and moved.asked_at >= self.until):
            return False
        if self.way and not self._fits(moved.fate(Way(self.way))):
            return False
        if self.mechanism and moved.mechanism != self.mechanism:
            return False
        return not self.group or KEYS[self.by](moved) == self.group

    def _fits(self, fate: str | None) -> bool:
        return fate is not None and self.fate in ("", fate)

    @property
    def is_all(self) -> bool:
        """Whether every transfer of the period is listed."""
        return not (self.since or self.until or self.way or self.mechanism or self.group)


def choice_of(asked: Mapping[str, str]) -> Choice:
    """What an address asks for; what makes no sense is left out."""
    way, fate, mechanism = asked.get("way", ""), asked.get("fate", ""), asked.get("mechanism", "")
    by = asked.get("by", "")
    return Choice(
        since=_moment(asked.get("since", "")),
        until=_moment(asked.get("until", "")),
        way=way if way in list(Way) else "",
        fate=fate if fate in FATES and way in list(Way) else "",
        mechanism=mechanism if mechanism in Mechanism.values else "",
        by=by if by in KEYS else "",
        group=asked.get("group", "")[:120] if by in KEYS else "",
    )


def span_of(asked: Mapping[str, str]) -> Span:
    """How far the address looks back."""
    return SPANS.get(asked.get("days", ""), SPANS[USUAL])


def read(since: datetime, now: datetime, scope: Scope, lines: Mapping[int, str]) -> tuple[list[Moved], bool]:
    """The transfers asked for since then, newest first, and whether there were more than are looked at.

    `lines` are the names of the lines. Three queries.
    """
    asked = scope.calls(TransferAttempt.objects.filter(pk__gte=first_id(since), requested_at__gte=since), "call__")
    referred = scope.calls(TransferAttempt.objects.referred(now).filter(requested_at__gte=since), "call__")
    fates = dict(referred.filter(fate__isnull=False).order_by().values_list("pk", "fate"))
    rows = asked.order_by("-pk").values_list(*_COLUMNS)[: MOST + 1]
    fetched = _fetched_by_redirect(since, scope)
    found = [
        _moved(dict(zip(_COLUMNS, row, strict=True)), lines, fates.get(row[0]), fetched.get(row[0])) for row in rows
    ]
    return found[:MOST], len(found) > MOST


def line_names() -> dict[int, str]:
    """What each line is called: its name, with its number when another has the same name. One query."""
    lines = list(Line.objects.values_list("pk", "name", "number"))
    often = Counter(name for _, name, _ in lines)
    return {pk: name if often[name] == 1 else f"{name} ({international(number)})" for pk, name, number in lines}


def address(span: Span, **told: Any) -> str:
    """The address of this page with these choices; moments are UTC."""
    given = {name: plain(value) for name, value in told.items() if value}
    return "?" + urlencode({"days": span.days, **given})


def ids(moved: Sequence[Moved], choice: Choice) -> list[str]:
    """The transfers that are listed, newest first."""
    return [each.id for each in moved if choice.takes(each)]


def _fetched_by_redirect(since: datetime, scope: Scope) -> dict[str, datetime]:
    """When the carrier first fetched each transfer's document by the address that a redirect hands out: no other fetch
    proves one.
    """
    told = Evidence.objects.filter(kind=FactKind.DOCUMENT_FETCHED, detail__via=Mechanism.REDIRECT.value)
    rows = scope.calls(told.filter(attempt__requested_at__gte=since), "attempt__call__").order_by()
    return dict(rows.values_list("attempt").annotate(Min("at")))


def _moved(row: Mapping[str, Any], lines: Mapping[int, str], fate: str | None, fetched_at: datetime | None) -> Moved:
    human, asked = row["human_connected_at"], row["requested_at"]
    return Moved(
        id=row["pk"],
        asked_at=asked,
        line=lines.get(row["call__line"], ""),
        line_key=str(row["call__line"] or ""),
        scheme=row["target_uri"].partition(":")[0] if ":" in row["target_uri"] else "",
        model=row["model"],
        mechanism=row["mechanism"],
        is_canary=row["requested_by"] == CANARY,
        refer=refer_fate(asked_at=row["refer_asked_at"], fate=fate),
        redirect=redirect_fate(
            asked_at=row["redirect_asked_at"],
            answer=row["redirect_answer"],
            fetched_at=fetched_at,
            settled_at=row["settled_at"],
        ),
        to_human_ms=None if human is None else round((human - asked).total_seconds() * 1000),
        silence_ms=row["silence_ms"],
    )


def _moment(text: str) -> datetime | None:
    try:
        told = parse_datetime(text)
    except ValueError:
        return None
    return told if told is not None and told.tzinfo is not None else None
