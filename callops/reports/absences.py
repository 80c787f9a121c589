"""What should have followed, and when it was due: seen in time, seen late, or not seen by us. Pure.

Absence is never more than that nobody had told us by a moment: no sentence says that something did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callops.calls.kinds import Kind
from callops.reports.record import CallRecord, Happening, moment

DOCUMENT_S = 5.0
"""Twilio fetches the document 0.65 s after a redirect took effect (contract Twilio 3.2); this is past any doubt."""
ANSWER_S = 10.0
"""No request of ours waits longer for its answer."""
CLOCK_FORM = "%H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """`what` is a noun with its place: `REFER at the carrier`. `since` is the fact that made us expect it.

    `seen` is the fact that came, however late. `looked_until` is how far we know that nobody told us.
    """

    what: str
    lane: str
    since: Happening
    deadline: datetime
    looked_until: datetime
    seen: Happening | None = None

    @property
    def is_late(self) -> bool:
        return self.seen is not None and self.seen.at > self.deadline

    @property
    def is_absent(self) -> bool:
        """Whether its deadline passed, and nothing was seen by the time of the record."""
        return self.seen is None and self.looked_until >= self.deadline

    @property
    def sentence(self) -> str:
        """`REFER at the carrier: not seen by 05:12:58`, or how late it was."""
        due = f"{self.deadline:{CLOCK_FORM}}"
        if self.seen is None:
            waiting = "not seen by" if self.is_absent else "waited for until"
            return f"{self.what}: {waiting} {due}"
        late = (self.seen.at - self.deadline).total_seconds()
        return f"{self.what}: seen {late:.1f} s after its deadline {due}" if self.is_late else f"{self.what}: seen"


def expected(record: CallRecord) -> list[Expected]:
    """Everything that should have followed, in the order of deadlines."""
    found = [each for rule in RULES for each in rule(record)]
    return sorted(found, key=lambda each: (each.deadline, each.what))


def missing(record: CallRecord) -> list[Expected]:
    """What was not seen by its deadline, later or never."""
    return [each for each in expected(record) if each.is_absent or each.is_late]


def _refers(record: CallRecord) -> Iterable[Expected]:
    trunk = record.call.get("topology") == "trunk"
    what = "REFER's new leg at the carrier" if trunk else "REFER at the carrier"
    for row in _all(record, Kind.US_REFER_ASKED):
        if due := moment(row.body.get("deadline_at")):
            seen = _first(record, (Kind.CARRIER_REFER, Kind.CARRIER_CHILD_SEEN), row)
            yield _one(record, what, "carrier", row, due, seen)


def _documents(record: CallRecord) -> Iterable[Expected]:
    for row in _all(record, Kind.CARRIER_REDIRECT_ANSWERED):
        if isinstance(row.body.get("status"), int) and row.body["status"] < 300:
            by = row.body.get("transfer")
            seen = _first(record, (Kind.CARRIER_DOCUMENT,), row, slack_s=ANSWER_S, transfer=by)
            due = row.at + timedelta(seconds=DOCUMENT_S)
            yield _one(record, "Fetch of the transfer document by Twilio", "carrier", row, due, seen)


def _announcements(record: CallRecord) -> Iterable[Expected]:
    wait_s = record.settings.get("webhook_deadline_s")
    if not isinstance(wait_s, int | float):
        return
    for row in _all(record, Kind.US_DIALLED_AI):
        seen = _first(record, (Kind.OPENAI_WEBHOOK,), row)
        over = _first(record, (Kind.CARRIER_DIAL_ENDED,), row)
        due = row.at + timedelta(seconds=wait_s)
        if seen is None and over is not None and over.at < due and record.call.get("failure_stage") == "caller_left":
            continue
        yield _one(record, "OpenAI's webhook about the call", "openai", row, due, seen)


def _answers(record: CallRecord) -> Iterable[Expected]:
    pairs: Mapping[Kind, tuple[str, str, tuple[Kind, ...]]] = {
        Kind.US_REFER_ASKED: (
            "Answer to the REFER request",
            "openai",
            (Kind.OPENAI_REFER_ANSWERED, Kind.OPENAI_REFER_UNANSWERED),
        ),
        Kind.US_REDIRECT_ASKED: (
            "Answer to the redirect request",
            "carrier",
            (Kind.CARRIER_REDIRECT_ANSWERED, Kind.CARRIER_REDIRECT_UNANSWERED),
        ),
    }
    for asked, (what, lane, kinds) in pairs.items():
        for row in _all(record, asked):
            told = _first(record, kinds, row, transfer=row.body.get("transfer"))
            answered = told if told and told.body.get("status") is not None else None
            due = row.at + timedelta(seconds=ANSWER_S)
            yield _one(record, what, lane, row, min(due, told.at) if told and not answered else due, answered)


def _sessions(record: CallRecord) -> Iterable[Expected]:
    for row in _all(record, Kind.OPENAI_ACCEPT_ANSWERED):
        if isinstance(row.body.get("status"), int) and row.body["status"] < 300:
            seen = _first(record, (Kind.OPENAI_SIDEBAND_OPEN,), row)
            yield _one(record, "Open session", "openai", row, row.at + timedelta(seconds=ANSWER_S), seen)


RULES: tuple[Callable[[CallRecord], Iterable[Expected]], ...] = (
    _refers,
    _documents,
    _announcements,
    _answers,
    _sessions,
)


def _one(record: CallRecord, what: str, lane: str, since: Happening, due: datetime, seen: Happening | None) -> Expected:
    return Expected(what=what, lane=lane, since=since, deadline=due, looked_until=record.made_at, seen=seen)


def _all(record: CallRecord, kind: Kind) -> Iterable[Happening]:
    return (row for row in record.happened if row.kind == kind)


def _first(
    record: CallRecord,
    kinds: tuple[Kind, ...],
    since: Happening,
    *,
    slack_s: float = 0.0,
    transfer: object = None,
) -> Happening | None:
    """The first such fact after `since`, or up to `slack_s` before it; of this transfer when it names one."""
    start = since.at - timedelta(seconds=slack_s)
    for row in record.happened:
        fits = transfer is None or row.body.get("transfer") in (None, transfer)
        if row.kind in kinds and fits and row.at >= start and row.seq != since.seq:
            return row
    return None
