"""The timeline of one call as rows: facts and what was expected and not seen, filtered, folded, in order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from callops.calls.words import Lane
from callops.reports.absences import Expected, missing
from callops.reports.frames import CALLERS, Run
from callops.reports.record import CallRecord, Happening
from callops.reports.trouble import is_trouble

FOLD_FROM: Final = 3
"""So many facts of one kind in a row are shown as one."""
NOT_SEEN: Final = "expected"
"""The kind under which an absence can be asked for."""
FRAME: Final = "sideband:"
"""What the kind of a row about events of the sideband begins with."""

LANES: Final[dict[str, str]] = dict(Lane.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: of these lanes and kinds (none: all), from and until so many seconds after the call began."""

    lanes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    start_s: float | None = None
    end_s: float | None = None
    frames: bool = False
    """Whether the events of the sideband are among them."""

    def fits(self, row: Row, began: datetime) -> bool:
        """Whether the row is wanted."""
        after_s = (row.at - began).total_seconds()
        return (
            (not self.lanes or row.lane in self.lanes)
            and (not self.kinds or row.kind in self.kinds)
            and (self.start_s is None or after_s >= self.start_s)
            and (self.end_s is None or after_s < self.end_s)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `expected` is set on what was not seen in time: it stands at its deadline. `folded` are the rows inside.

    `gap_s` is how long nothing was shown before it.
    """

    at: datetime
    lane: str
    kind: str
    seq: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    expected: Expected | None = None
    trouble: bool = False
    gap_s: float = 0.0
    folded: Sequence[Row] = ()

    def after(self, last: Row) -> Row:
        """The row with its gap after the last one. (`dataclasses.replace` takes twice as long.)"""
        return Row(
            at=self.at,
            lane=self.lane,
            kind=self.kind,
            seq=self.seq,
            body=self.body,
            expected=self.expected,
            trouble=self.trouble,
            gap_s=(self.at - last.at).total_seconds(),
            folded=self.folded,
        )

    @property
    def lane_name(self) -> str:
        """The lane as people call it."""
        return LANES.get(self.lane, self.lane)

    @property
    def is_late(self) -> bool:
        """Whether what was expected came in the end."""
        return self.expected is not None and self.expected.is_late

    @property
    def lasted_s(self) -> float:
        """From the first to the last of what is folded here."""
        return (self.folded[-1].at - self.at).total_seconds() if self.folded else 0.0


def began(record: CallRecord) -> datetime:
    """When the first fact was known, or the record was made when there is none."""
    return min((row.at for row in record.happened), default=record.made_at)


def ended(record: CallRecord) -> datetime:
    """When the last row stands; never before the call began."""
    last = max((row.at for row in record.happened), default=record.made_at)
    return max([last, *(each.deadline for each in missing(record))])


def every_row(record: CallRecord) -> list[Row]:
    """All rows in the order of time, nothing folded."""
    rows = [_of(row) for row in record.happened]
    rows += [
        Row(at=each.deadline, lane=each.lane, kind=NOT_SEEN, seq=each.since.seq, expected=each, trouble=True)
        for each in missing(record)
    ]
    return in_order(rows)


def chosen(rows: Sequence[Row], wanted: Wanted, since: datetime) -> list[Row]:
    """The wanted rows with the gaps between them, runs of one kind folded."""
    fitting = [row for row in rows if wanted.fits(row, since)]
    before = [None, *fitting]
    spaced = [row if last is None else row.after(last) for last, row in zip(before, fitting, strict=False)]
    return _folded(spaced)


def frame_rows(runs: Sequence[Run]) -> list[Row]:
    """What came over the sideband as rows of the timeline, a run of one type each."""
    return [
        Row(
            at=run.at,
            lane=Lane.CALLER if run.type.startswith(CALLERS) else Lane.OPENAI,
            kind=f"{FRAME}{run.type}",
            body={"count": run.count, "lasted_s": (run.until - run.at).total_seconds()},
        )
        for run in runs
    ]


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows by time; of one moment the facts in their order, then what was not seen."""
    return sorted(rows, key=lambda row: (row.at, row.expected is not None, row.seq))


def kinds_of(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Every kind there is and how often, by name."""
    return sorted(Counter(row.kind for row in rows).items())


def lanes_of(rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    """Every lane with its name and how many rows it has, in the order of the ladder."""
    count = Counter(row.lane for row in rows)
    known = [lane for lane in Lane if lane.value in count]
    return [(lane.value, lane.label, count[lane.value]) for lane in known]


def seconds(since: datetime, after_s: float) -> datetime:
    """The moment so many seconds after another."""
    return since + timedelta(seconds=after_s)


def _of(row: Happening) -> Row:
    return Row(
        at=row.at,
        lane=row.lane,
        kind=row.kind,
        seq=row.seq,
        body=row.body,
        trouble=is_trouble(row.kind, row.body),
    )


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Runs of the same kind and lane as one row each; trouble is never hidden in one."""
    shown: list[Row] = []
    run: list[Row] = []
    for row in rows:
        if run and (row.trouble or (row.kind, row.lane) != (run[0].kind, run[0].lane)):
            shown += _as_one(run)
            run = []
        if row.trouble:
            shown.append(row)
        else:
            run.append(row)
    return shown + _as_one(run)


def _as_one(run: list[Row]) -> list[Row]:
    return [replace(run[0], folded=tuple(run))] if len(run) >= FOLD_FROM else run
