"""An incident as a document that is handed on: what happened, whom it hit, what was done, and why. Pure.

Times are UTC to the second. What callers, providers and people typed cannot end the piece it stands in; notes are
Markdown of their own, quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from callops.alerts.models import Cause, Incident, IncidentStep, Work
from callops.calls.models import Event
from callops.dashboard import phrases
from callops.reports.markdown import document, facts, table, words
from callops.reports.plain import code, visible


def write(
    incident: Incident,
    *,
    steps: Sequence[IncidentStep],
    calls: Sequence[Any],
    count: int,
    marks: Iterable[Event],
    address: str,
    at: datetime,
) -> str:
    """The whole document; each of `calls` has its `last_attempt`, `count` is how many there are in all."""
    return document(
        f"# Incident {incident.pk}: {words(phrases.trouble(incident))}",
        _facts(incident, count, at),
        "## What happened",
        _happened(incident, steps, marks),
        "## Cause",
        _cause(incident),
        f"## Calls ({count})",
        _calls(calls, count, address),
        "## Notes",
        _notes(steps),
    )


def _facts(incident: Incident, count: int, at: datetime) -> list[str]:
    hit = [("Calls", str(count))]
    if incident.calls:
        hit.append(("Share", f"{incident.failed} of the {incident.calls} calls that began meanwhile failed like this"))
    return facts(
        [
            (
                "Opened",
                f"{_utc(incident.opened_at)}, by {words(incident.opened_by) if incident.opened_by else 'itself'}",
            ),
            ("Began", _utc(incident.began_at)),
            ("Over", _utc(incident.closed_at) if incident.closed_at else "not yet"),
            ("Acknowledged", _by(incident.acknowledged_at, incident.acknowledged_by)),
            ("Owner", words(incident.owner.get_username()) if incident.owner else "nobody"),
            ("Resolved", _by(incident.resolved_at, incident.resolved_by)),
            *hit,
            ("Written", _utc(at)),
        ]
    )


def _happened(incident: Incident, steps: Sequence[IncidentStep], marks: Iterable[Event]) -> list[str]:
    """Everything with its moment, in order."""
    rows = [(incident.began_at, "The first fact of it.")]
    if not incident.is_by_hand:
        rows.append((incident.opened_at, f"Opened by itself. {words(incident.because)}"))
    if incident.closed_at and not incident.is_by_hand:
        rows.append((incident.closed_at, f"Over. {words(incident.closed_because)}"))
    rows += [(step.at, _done(step)) for step in steps]
    rows += [(mark.at, _marked(mark)) for mark in marks]
    return table(["UTC", "What"], [[_utc(moment), text] for moment, text in sorted(rows, key=lambda row: row[0])])


def _marked(mark: Event) -> str:
    why = words(mark.body.get("text") or "without words")
    return f"Marked by {words(mark.body.get('by'))} on call {code(mark.call_id)}: {why}"


def _done(step: IncidentStep) -> str:
    said = f": {words(step.text)}" if step.text and step.what != Work.NOTED else ""
    return f"{words(step.by)} {Work(step.what).label}{said}"


def _cause(incident: Incident) -> list[str]:
    if not incident.cause:
        return ["Not said yet."]
    return [f"**{Cause(incident.cause).label}.**", "", *_quoted(incident.cause_words)]


def _calls(calls: Sequence[Any], count: int, address: str) -> list[str]:
    if not calls:
        return ["None."]
    rows = [
        [
            f"[{call.pk}]({address}/calls/{call.pk}/)",
            _utc(call.started_at),
            code(call.from_number),
            words(call.line_name or "–"),
            words(call.get_failure_stage_display() or f"ended by {call.get_ended_by_display() or 'nobody yet'}"),
            _moved(call.last_attempt),
            code(call.carrier_sid),
            code(call.ai_call_id),
        ]
        for call in calls
    ]
    head = ["Call", "Began", "Caller", "Line", "End", "Transfer", "Twilio", "OpenAI"]
    more = ["", f"{count - len(calls)} more are not listed."] if count > len(calls) else []
    return [*table(head, rows), *more]


def _moved(attempt: Any) -> str:
    return f"{attempt.get_mechanism_display()}, {attempt.get_outcome_display()}" if attempt else "–"


def _notes(steps: Sequence[IncidentStep]) -> list[str]:
    lines: list[str] = []
    for step in steps:
        if step.what == Work.NOTED:
            lines += [f"**{words(step.by)}**, {_utc(step.at)}:", "", *_quoted(step.text), ""]
    return lines or ["None."]


def _quoted(text: str) -> list[str]:
    """Markdown of a person's own, line by line behind a mark that keeps it together; nothing turns its direction."""
    return [f"> {visible(line)}" for line in text.splitlines()]


def _by(at: datetime | None, who: str) -> str:
    return f"{_utc(at)}, by {words(who)}" if at else "not yet"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
