"""One call as facts, read once: what bundles, ladders, timelines and reports are made of. Pure values, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from callops.transfers.verdict import Fact, FactKind, Verdict, judge

Json = dict[str, Any]
KNOWN = frozenset(FactKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One row of the timeline; `at` is our own clock's word."""

    seq: int
    at: datetime
    lane: str
    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)

    def with_body(self, body: Mapping[str, Any]) -> Happening:
        """The same fact told otherwise. (`dataclasses.replace` takes twice as long.)"""
        return Happening(seq=self.seq, at=self.at, lane=self.lane, kind=self.kind, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the transcript. `heard_chars` is None when the caller heard all of it."""

    at: datetime
    speaker: str
    text: str
    heard_chars: int | None = None
    final: bool = True
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What a witness said of a transfer; `seq` is the row of the timeline it rests on."""

    kind: str
    witness: str
    at: datetime
    seq: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """One transfer: the wish, what was asked, the verdict as it stands, and all it rests on."""

    id: str
    label: str
    uri: str
    policy: str
    requested_by: str
    requested_at: datetime
    refer_only: bool
    """No redirect may follow: by policy, or because the call is a trunk's."""
    state: str
    mechanism: str
    outcome: str
    because: str
    human_connected_at: datetime | None = None
    refer_asked_at: datetime | None = None
    refer_deadline_at: datetime | None = None
    refer_seen_at: datetime | None = None
    evidence: Sequence[Witnessed] = ()

    def verdict(self) -> Verdict:
        """What these facts prove, judged anew."""
        facts = [Fact(FactKind(one.kind), one.at, one.detail) for one in self.evidence if one.kind in KNOWN]
        return judge(facts, refer_only=self.refer_only)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What came over the AI's sideband within one second that began at `at`: event types and how many of each."""

    at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Everything that is known of one call at `made_at`."""

    made_at: datetime
    call: Mapping[str, Any]
    settings: Mapping[str, Any]
    legs: Sequence[Mapping[str, Any]] = ()
    happened: Sequence[Happening] = ()
    said: Sequence[Said] = ()
    moves: Sequence[Moving] = ()
    pulse: Sequence[Pulse] = ()
    pulse_from: datetime | None = None
    pulse_until: datetime | None = None
    """The window in which `pulse` was counted; None: there was no reason to look, or frames are no longer kept."""
    secrets: Sequence[str] = ()
    """Texts that must never leave the house, wherever they stand."""

    @property
    def id(self) -> str:
        return str(self.call["id"])


def iso(at: datetime | None) -> str | None:
    """ISO 8601 UTC to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def exact(at: datetime) -> str:
    """ISO 8601 UTC to the microsecond, as facts are judged: rounding could change which came first."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(value: Any) -> datetime | None:
    """The aware time a text names; None when it names none."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
