"""What did the work, in figures: of transfers side by side, how many of each way did what, and how long callers waited.

Pure: transfers as plain values go in, counts and percentiles come out. A way is a REFER or a redirect; one transfer may
have asked for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from callops.transfers.health import Fate, Interval, wilson

FETCHED_IN_TIME: Final = timedelta(seconds=2)
"""A redirect whose document was fetched within this of asking was proven in time: after it the carrier is asked."""
WAITING: Final = "waiting"
"""What became of a way while it is not known."""
FATES: Final = (*(fate.value for fate in Fate), WAITING)
REFUSALS: Final = frozenset({"refused", "busy", "gone"})
"""Answers to a redirect by which it was not taken."""


class Way(StrEnum):
    """What may move a caller."""

    REFER = "refer"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One transfer: what became of each way (None: not asked), and how long the caller waited and heard nothing."""

    id: str
    asked_at: datetime
    line: str
    scheme: str
    model: str
    mechanism: str
    line_key: str = ""
    """By what the line is known, when two of them may have one name."""
    is_canary: bool = False
    refer: str | None = None
    redirect: str | None = None
    to_human_ms: int | None = None
    silence_ms: int | None = None

    def fate(self, way: Way) -> str | None:
        """What became of this way; None: it was not asked."""
        return self.refer if way == Way.REFER else self.redirect


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one way was asked for, and what became of it."""

    counts: Mapping[str, int]

    @property
    def asked(self) -> int:
        """All that were asked for."""
        return sum(self.counts.values())

    @property
    def known(self) -> int:
        """n: those of which it is known what became of them."""
        return self.asked - self.counts.get(WAITING, 0)

    @property
    def proven(self) -> int:
        """Proven in time."""
        return self.counts.get(Fate.PROVEN, 0)

    @property
    def share(self) -> float | None:
        """The share proven in time of those that are known; None: none is."""
        return self.proven / self.known if self.known else None

    @property
    def interval(self) -> Interval:
        """Where that share lies, with 95 % confidence (Wilson)."""
        return wilson(self.proven, self.known)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `n` durations in milliseconds the one that half of them, and that 95 in 100, do not exceed."""

    n: int
    p50: int
    p95: int


@dataclass(frozen=True, slots=True)
class Group:
    """Transfers that have one thing in common."""

    name: str
    members: tuple[Moved, ...]
    key: str = ""
    """By what it is known in an address."""

    def tally(self, way: Way) -> Tally:
        """What became of this way."""
        return tally(self.members, way)

    def to_human(self, mechanism: str = "") -> Spread | None:
        """How long it took until a human was there, when one came; of those that this mechanism moved."""
        return spread(m.to_human_ms for m in self.members if not mechanism or m.mechanism == mechanism)

    def silence(self, mechanism: str = "") -> Spread | None:
        """How long callers heard nothing."""
        return spread(m.silence_ms for m in self.members if not mechanism or m.mechanism == mechanism)


def refer_fate(*, asked_at: datetime | None, fate: str | None) -> str | None:
    """What became of a REFER, by what `AttemptQuerySet.referred` found."""
    return None if asked_at is None else fate or WAITING


def redirect_fate(
    *, asked_at: datetime | None, answer: str, fetched_at: datetime | None, settled_at: datetime | None
) -> str | None:
    """What became of a redirect: proven when the carrier fetched our document in time, late when it took longer.

    `fetched_at`: by the redirect's own address. `asked_at` is the last try's; a fetch before it was an earlier one's.
    """
    if asked_at is None:
        return None
    if fetched_at is not None:
        return Fate.PROVEN if fetched_at - asked_at <= FETCHED_IN_TIME else Fate.LATE
    if answer in REFUSALS:
        return Fate.REFUSED
    return Fate.UNPROVEN if settled_at else WAITING


def tally(members: Iterable[Moved], way: Way) -> Tally:
    """The counts of one way."""
    counts = dict.fromkeys(FATES, 0)
    for each in members:
        if (fate := each.fate(way)) is not None:
            counts[fate] += 1
    return Tally(counts)


def spread(durations: Iterable[int | None]) -> Spread | None:
    """Nearest-rank percentiles of those that are known; None: none is."""
    known = sorted(each for each in durations if each is not None)
    if not known:
        return None
    return Spread(len(known), *(known[ceil(share * len(known)) - 1] for share in (0.5, 0.95)))


KEYS: Final[dict[str, Callable[[Moved], str]]] = {
    "line": lambda moved: moved.line_key or moved.line or "no line",
    "scheme": lambda moved: f"{moved.scheme}:" if moved.scheme else "unknown",
    "model": lambda moved: moved.model or "not known",
    "hour": lambda moved: (
        f"{moved.asked_at.astimezone(UTC):%H}–{(moved.asked_at.astimezone(UTC).hour + 1) % 24:02} UTC"
    ),
    "mechanism": lambda moved: moved.mechanism,
}
"""What transfers can be grouped by."""


def grouped(members: Iterable[Moved], by: str) -> list[Group]:
    """The groups by name, none empty; every transfer is in just one."""
    found: dict[str, list[Moved]] = {}
    for each in members:
        found.setdefault(KEYS[by](each), []).append(each)
    groups = [Group(_name(key, rows[0], by), tuple(rows), key) for key, rows in found.items()]
    return sorted(groups, key=lambda group: (group.name, group.key))


def _name(key: str, one: Moved, by: str) -> str:
    """What people call the group: by its key, except a line."""
    return one.line if by == "line" and one.line else key


def over_time(members: Iterable[Moved], steps: Sequence[datetime], step: timedelta) -> list[Group]:
    """A group for each step of time, empty ones too; its name is its beginning."""
    found: list[list[Moved]] = [[] for _ in steps]
    for each in members:
        place = int((each.asked_at - steps[0]) // step)
        if 0 <= place < len(steps):
            found[place].append(each)
    return [Group(at.isoformat(), tuple(rows)) for at, rows in zip(steps, found, strict=True)]
