"""What did the work: REFER and redirect side by side, over time and by what transfers have in common; and the list."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import QueryDict
from django.utils.safestring import SafeString

from callops.calls.words import Topology
from callops.dashboard import canary_series, charts, moved
from callops.dashboard.history import PAGE, Page
from callops.dashboard.moved import SPANS, Choice, Span, choice_of, span_of
from callops.people.standing import EVERYTHING, Scope
from callops.reports.plain import cell
from callops.transfers import switching
from callops.transfers.breaker_history import Stood, changes, stood
from callops.transfers.figures import FATES, Group, Moved, Spread, Tally, Way, grouped, over_time
from callops.transfers.health import WINDOW_S, Fate, Refer
from callops.transfers.models import BreakerAct, Force, Mechanism, TransferAttempt

USUAL_BY: Final = "line"
BY_WORDS: Final = {
    "line": "line", "mechanism": "mechanism", "scheme": "scheme of the target", "model": "model", "hour": "hour of day",
}  # fmt: skip
SAMPLES: Final = 96
"""So many moments of a period at which the breakers are looked at."""


@dataclass(frozen=True, slots=True)
class WayCell:
    """One way of one group: its counts with the addresses of the transfers behind them."""

    tally: Tally
    drawn: SafeString
    counts: Sequence[tuple[str, int, str]]
    all: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One row of the table: both ways, and how long callers waited and heard nothing."""

    name: str
    address: str
    count: int
    ways: Sequence[WayCell]
    waits: Sequence[tuple[str, Spread | None, SafeString]]
    silence: Spread | None
    silence_drawn: SafeString


@dataclass(frozen=True, slots=True)
class Course:
    """How one line's breaker stood over the period."""

    line: str
    drawn: SafeString
    changes: Sequence[Stood]


def page(asked: QueryDict, now: datetime, scope: Scope = EVERYTHING) -> dict[str, Any]:
    """Everything on the page: the charts with their tables, the breakers, and the transfers behind what was clicked."""
    span, choice = span_of(asked), choice_of(asked)
    by = choice.by or USUAL_BY
    steps = span.steps(now)
    names = moved.line_names()
    read, is_cut = moved.read(steps[0], now, scope, names)
    rows = people_s(read)
    groups = grouped(rows, by)
    breakers = [each for each in switching.standings(now=now) if scope.sees_line(each.line.pk)]
    acts = [act for act in switching.history() if scope.sees_line(act.line_id)]
    in_time = list(_steps(span, steps, over_time(rows, steps, span.step)))
    return {
        "page": _listed(moved.ids(rows, choice), asked, span, choice),
        "count": sum(choice.takes(each) for each in rows),
        "total": len(rows),
        "most": moved.MOST if is_cut else None,
        "chart": charts.over_time(in_time) if rows else "",
        "steps": in_time,
        "groups": _lines(span, by, groups),
        "group": next((each.name for each in groups if each.key == choice.group), choice.group),
        "by": by,
        "choices_by": BY_WORDS.items(),
        "fates": [(fate, charts.FATE_WORDS[fate]) for fate in FATES],
        "courses": _courses(steps[0], now, scope, names),
        "canaries": canary_series.read(steps[0], scope),
        "breakers": [(each, names.get(each.line.pk, each.line.name)) for each in breakers],
        "breaker_acts": [(act, names.get(act.line_id, act.line.name)) for act in acts],
        "forces": Force.choices,
        "span": span,
        "spans": SPANS.values(),
        "choice": choice,
        "here": "transfers",
    }


def people_s(rows: Sequence[Moved]) -> list[Moved]:
    """Transfers of callers: the canary's are no part of the figures."""
    return [each for each in rows if not each.is_canary]


def as_csv(asked: QueryDict, now: datetime, scope: Scope = EVERYTHING) -> str:
    """The figures of each group and way as a table for a spreadsheet; durations in milliseconds."""
    span, by = span_of(asked), choice_of(asked).by or USUAL_BY
    rows = people_s(moved.read(span.steps(now)[0], now, scope, moved.line_names())[0])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    durations = [f"{what}_{each}" for what in ("to_human", "silence") for each in ("n", "p50_ms", "p95_ms")]
    writer.writerow([by, "way", "asked", *FATES, "known", "share_proven", "share_low", "share_high", *durations])
    for group in grouped(rows, by):
        for way in Way:
            writer.writerow([cell(group.name), *_figures(group, way)])
    return out.getvalue()


def _figures(group: Group, way: Way) -> list[Any]:
    tally = group.tally(way)
    share: list[Any] = ["", "", ""]
    if tally.share is not None:
        share = [round(each, 4) for each in (tally.share, tally.interval.low, tally.interval.high)]
    waits, silence = (
        [each.n, each.p50, each.p95] if each else [0, "", ""]
        for each in (group.to_human(way.value), group.silence(way.value))
    )
    return [way.value, tally.asked, *(tally.counts[fate] for fate in FATES), tally.known, *share, *waits, *silence]


def _steps(span: Span, starts: Sequence[datetime], groups: Sequence[Group]) -> Iterator[charts.Step]:
    for at, group in zip(starts, groups, strict=True):
        told = {"since": at, "until": at + span.step}
        refer, redirect = (_bar(span, group, way, told, at) for way in Way)
        label = f"{at:%H:%M}" if span.days == 1 else f"{at:%d.%m.}"
        yield charts.Step(f"{at:%Y-%m-%d %H:%M} UTC", refer, redirect, label)


def _bar(span: Span, group: Group, way: Way, told: dict[str, Any], at: datetime) -> charts.Bar:
    tally = group.tally(way)
    counts = ", ".join(f"{tally.counts[fate]} {charts.FATE_WORDS[fate]}" for fate in FATES if tally.counts[fate])
    words = f"{Mechanism(way.value).label} from {at:%Y-%m-%d %H:%M} UTC: {counts or 'none'}"
    return charts.Bar(tally, words, moved.address(span, way=way.value, **told) + "#list")


def _lines(span: Span, by: str, groups: Sequence[Group]) -> list[GroupLine]:
    spreads = [each for group in groups for way in Way if (each := group.to_human(way.value))]
    longest = max((each.p95 for each in spreads), default=0)
    quiet = max((each.p95 for group in groups if (each := group.silence())), default=0)
    lines = [_line(span, {"by": by, "group": group.key}, group, longest, quiet) for group in groups]
    if len(groups) > 1:
        everything = Group("all", tuple(each for group in groups for each in group.members))
        lines.append(_line(span, {"by": by}, everything, longest, quiet))
    return lines


def _line(span: Span, told: dict[str, str], group: Group, longest: int, quiet: int) -> GroupLine:
    waits = [(way.value, each, charts.spread(each, longest)) for way in Way for each in [group.to_human(way.value)]]
    silence = group.silence()
    return GroupLine(
        name=str(Mechanism(group.name).label) if group.name in Mechanism.values else group.name,
        address=moved.address(span, **told) + "#list",
        count=len(group.members),
        ways=[_cell(span, group.tally(way), {**told, "way": way.value}) for way in Way],
        waits=waits,
        silence=silence,
        silence_drawn=charts.spread(silence, quiet),
    )


def _cell(span: Span, tally: Tally, told: dict[str, Any]) -> WayCell:
    counts = [(fate, tally.counts[fate], moved.address(span, **told, fate=fate) + "#list") for fate in FATES]
    return WayCell(tally, charts.share(tally), counts, moved.address(span, **told) + "#list")


def _listed(keys: Sequence[str], asked: QueryDict, span: Span, choice: Choice) -> Page:
    """One page of the transfers that are listed, by key."""
    before, after = asked.get("before", ""), asked.get("after", "")
    begin = 0
    if before:
        begin = sum(key >= before for key in keys)
    elif after:
        begin = max(0, sum(key > after for key in keys) - PAGE)
    shown = keys[begin : begin + PAGE]
    told = {name: getattr(choice, name) for name in ("since", "until", "way", "fate", "mechanism", "by", "group")}
    rows = TransferAttempt.objects.filter(pk__in=shown).select_related("call__line").order_by("-pk")
    return Page(
        rows=list(rows),
        older=moved.address(span, **told, before=shown[-1]) if shown and begin + PAGE < len(keys) else "",
        newer=moved.address(span, **told, after=shown[0]) if shown and begin else "",
    )


def _courses(since: datetime, now: datetime, scope: Scope, names: Mapping[int, str]) -> list[Course]:
    """How the breakers of lines that asked for a REFER or were forced stood; a trunk line has none. Two queries."""
    refers: defaultdict[int, list[Refer]] = defaultdict(list)
    known = TransferAttempt.objects.referred(now).filter(
        refer_asked_at__gte=since - timedelta(seconds=WINDOW_S), fate__isnull=False, call__line__isnull=False
    )
    found = scope.calls(known.exclude(call__line__topology=Topology.TRUNK), "call__").order_by("-refer_asked_at", "-pk")
    newest = found.values_list("call__line", "refer_asked_at", "pk", "fate")[: moved.MOST]
    for line, at, pk, fate in reversed(list(newest)):
        refers[line].append(Refer(at, pk, Fate(fate)))
    forced: defaultdict[int, list[tuple[datetime, Force]]] = defaultdict(list)
    for act in scope.calls(BreakerAct.objects.order_by("at"), ""):
        forced[act.line_id].append((act.at, Force(act.force)))
    times = [since + (now - since) * number / SAMPLES for number in range(SAMPLES + 1)]
    lines = sorted({*refers, *forced} & {*names}, key=lambda line: (names[line], line))
    return [_course(names[line], refers[line], forced[line], times) for line in lines]


def _course(
    name: str, refers: Sequence[Refer], forced: Sequence[tuple[datetime, Force]], times: Sequence[datetime]
) -> Course:
    course = stood(refers, forced, times)
    parts = [
        (
            f"stood-{each.position}{'-forced' if each.is_forced else ''}",
            f"{each.at.astimezone(UTC):%m-%d %H:%M} UTC: {each.position}",
        )
        for each in course
    ]
    return Course(name, charts.course(parts, "how the breaker stood; the list below says the same"), changes(course))
