"""The report for OpenAI: what was asked of it on one call, what it answered, and what the carrier saw. Pure.

Every sentence rests on a fact of the record. What was not seen is said with the moment until which we looked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from callops.calls.kinds import Kind
from callops.reports import markdown
from callops.reports.exchanges import Exchange, exchanges
from callops.reports.markdown import facts, table, words
from callops.reports.plain import code
from callops.reports.record import CallRecord, Happening, Moving, iso, moment
from callops.reports.skew import skew_of

_TROUBLE: Final = (Kind.OPENAI_ERROR, Kind.OPENAI_SIDEBAND_DROPPED, Kind.OPENAI_RESPONSE_FAILED, Kind.OPENAI_GARBAGE)
_SESSION: Final = (
    *(Kind.OPENAI_WEBHOOK, Kind.OPENAI_ACCEPT_ANSWERED, Kind.OPENAI_SIDEBAND_OPEN, Kind.OPENAI_SIDEBAND_REFUSED),
    *(Kind.OPENAI_SESSION_OVER, Kind.OPENAI_GHOST, *_TROUBLE),
)
_AUDIO: Final = ("output_audio_buffer.", "input_audio_buffer.", "response.output_audio")
_CARRIER: Final = (Kind.CARRIER_LEG, Kind.CARRIER_LOOKED_UP, Kind.CARRIER_DIAL_ENDED, Kind.CARRIER_ALERT)


def report(record: CallRecord) -> str:
    """The whole report as Markdown."""
    parts: list[list[str] | str] = [f"# {_title(record)}", _ids(record), "## Requests of this call", _requests(record)]
    for move in record.moves:
        if move.refer_asked_at:
            parts += _refer(record, move, move.refer_asked_at)
    return markdown.document(*parts, "## The session", _session(record))


def _title(record: CallRecord) -> str:
    if any(move.refer_asked_at and not move.refer_seen_at for move in record.moves):
        return "A REFER was asked for and not seen at the carrier"
    if stage := record.call.get("failure_stage"):
        return f"A call that failed: {words(stage)}"
    return "A call, as seen from the application"


def _ids(record: CallRecord) -> list[str]:
    webhooks = [row for row in record.happened if row.kind == Kind.OPENAI_WEBHOOK]
    sip = {
        str(one.get("name")).lower(): one.get("value") for row in webhooks for one in row.body.get("sip_headers") or ()
    }
    names = [code((row.body.get("headers") or {}).get("webhook-id")) for row in webhooks]
    return facts(
        [
            ("OpenAI call", code(record.call.get("ai_call_id"))),
            ("Project", code(record.settings.get("openai_project_id"))),
            ("Model", code((record.settings.get("line") or {}).get("model"))),
            ("SIP Call-ID of the INVITE", code(sip.get("call-id"))),
            ("Twilio call of the caller", code(record.call.get("carrier_sid"))),
            ("Twilio leg to OpenAI", code(record.call.get("ai_leg_sid"))),
            ("Webhook ids", ", ".join(names) or "none received"),
            ("All times", "UTC, by the application's clock"),
            ("Clocks", skew_of(record, "openai").sentence),
            ("Record made at", code(iso(record.made_at))),
        ]
    )


def _requests(record: CallRecord) -> list[str]:
    asked = [each for each in exchanges(record) if each.to == "openai"]
    rows = [
        [
            code(iso(each.asked_at)),
            code(each.request),
            str(each.status or _silence(each)),
            code(each.request_id) if each.request_id else "absent" if each.status else "–",
            "–" if each.duration_ms is None else f"{each.duration_ms} ms",
        ]
        for each in asked
    ]
    return table(["asked at", "request", "HTTP", "x-request-id", "took"], rows) if rows else ["None."]


def _silence(each: Exchange) -> str:
    return f"no answer ({words(each.reason)})" if each.reason else "no answer yet"


def _refer(record: CallRecord, move: Moving, asked_at: datetime) -> list[list[str] | str]:
    asked = next((each for each in exchanges(record) if each.name == "refer" and each.transfer == move.id), None)
    return [
        f"## The REFER of {iso(asked_at)}",
        "### What was asked",
        _what_was_asked(asked, asked_at),
        "### What was answered",
        _what_was_answered(asked, record),
        "### What the carrier saw",
        _what_the_carrier_saw(record, move, asked_at),
        "### How the session was doing",
        _around(record, asked_at),
        "### What was expected",
        _expected(record, move),
        "### What moved the caller",
        [words(move.because or "Nothing yet."), f"Mechanism: {code(move.mechanism)}, outcome: {code(move.outcome)}."],
        "### The question",
        [_question(record, move, asked, asked_at)],
    ]


def _what_was_asked(asked: Exchange | None, asked_at: datetime) -> list[str]:
    request, body = (asked.request, json.dumps(dict(asked.sent))) if asked else (None, None)
    return facts([("Request", code(request)), ("Body", code(body)), ("Sent at", code(iso(asked_at)))])


def _what_was_answered(asked: Exchange | None, record: CallRecord) -> list[str]:
    if asked is None or asked.status is None:
        why = _silence(asked) if asked else "no answer"
        return [f"- {why}, by {code(iso(record.made_at))}."]
    lines = facts(
        [
            ("Status", f"HTTP {asked.status}, {asked.duration_ms} ms after the request"),
            ("Answered at", code(iso(asked.answered_at))),
            ("Headers that were missing", ", ".join(map(code, asked.absent)) or "none of those we look for"),
            ("Body", _content(asked)),
        ]
    )
    shown = [[code(name), code(value)] for name, value in sorted(asked.headers.items())]
    return [*lines, "", *table(["header", "value"], shown)] if shown else lines


def _content(asked: Exchange) -> str:
    if asked.message:
        return code(asked.message)
    length = asked.headers.get("content-length")
    return (
        "not kept"
        if length is None
        else "empty (content-length: 0)"
        if str(length) == "0"
        else f"{words(length)} bytes"
    )


def _what_the_carrier_saw(record: CallRecord, move: Moving, asked_at: datetime) -> list[str]:
    if move.refer_seen_at:
        late = ", after our deadline" if move.refer_deadline_at and move.refer_seen_at > move.refer_deadline_at else ""
        lines = [f"- Twilio reported the REFER at {code(iso(move.refer_seen_at))}{late}."]
    else:
        lines = [f"- {_unseen(record)} not seen by us by {code(iso(_looked_until(record)))}."]
    after = (row for row in record.happened if row.kind in _CARRIER and row.at >= asked_at)
    return [*lines, *(f"- {code(iso(row.at))} {_carrier_words(row)}" for row in after)]


def _unseen(record: CallRecord) -> str:
    """By what Twilio would tell us of a REFER; nothing more than that we did not see it may be said."""
    if record.call.get("topology") == "trunk":
        return "A new leg made from the trunk's call:"
    return "A request of our `referUrl` by Twilio:"


def _carrier_words(row: Happening) -> str:
    body = row.body
    if row.kind == Kind.CARRIER_LEG:
        return f"Twilio: {words(body.get('role'))} leg {code(body.get('sid'))} is {words(body.get('status'))}."
    if row.kind == Kind.CARRIER_LOOKED_UP:
        return f"We asked Twilio about leg {code(body.get('sid'))}: {words(body.get('status') or 'no answer')}."
    if row.kind == Kind.CARRIER_ALERT:
        return f"Twilio's Debugger: {code(body.get('code'))} {words(body.get('text') or '')}"
    sip = words(body.get("sip_code") or "not told")
    return f"Twilio: the dial to OpenAI ended, {words(body.get('dial_status'))}, SIP {sip}."


def _around(record: CallRecord, asked_at: datetime) -> list[str]:
    start, end = record.pulse_from, record.pulse_until
    if start is None or end is None or not start <= asked_at <= end or not record.pulse:
        return ["No frame of the sideband around this request is kept."]
    end = max(asked_at, min(end, record.made_at))
    before, after = Counter[str](), Counter[str]()
    for beat in record.pulse:
        (before if beat.at < asked_at.replace(microsecond=0) else after).update(beat.counts)
    rows = [[code(name), str(before[name]), str(after[name])] for name in sorted({*before, *after})]
    trouble = [row for row in record.happened if row.kind in _TROUBLE and asked_at <= row.at <= end]
    told = [f"- {code(iso(row.at))} {code(row.kind)} {words(_trouble(row.body))}" for row in trouble]
    return [
        _pace("Before the request", before, start, asked_at),
        _pace("After the request", after, asked_at, end),
        *(told or ["- No error and no drop of the sideband in this time after the request."]),
        "",
        *table(["event", "before", "after"], rows),
    ]


def _pace(when: str, seen: Counter[str], start: datetime, end: datetime) -> str:
    lasted = max((end - start).total_seconds(), 0.001)
    audio = sum(many for name, many in seen.items() if name.startswith(_AUDIO))
    return (
        f"- {when}, {iso(start)} to {iso(end)}: {seen.total()} events, {seen.total() / lasted:.1f} a second; "
        f"{audio} about audio, {audio / lasted:.1f} a second; {seen['response.done']} responses done."
    )


def _trouble(body: Mapping[str, Any]) -> str:
    return str(body.get("message") or body.get("reason") or body.get("code") or "")


def _expected(record: CallRecord, move: Moving) -> list[str]:
    by = code(iso(move.refer_deadline_at))
    trunk = record.call.get("topology") == "trunk"
    witness = "make a new leg from the trunk's call" if trunk else "request our `referUrl`"
    return [
        "- The reference says that this request transfers the call by SIP REFER.",
        "- A 200 with an empty body is the documented success, and no fault by itself.",
        f"- So we expected Twilio to receive a REFER on the leg to OpenAI and to {witness} by {by}.",
        "- The API reference names `x-request-id` and `openai-processing-ms` among the headers of its answers.",
        "- A missing header is shown because it was missing; it proves neither that a REFER left nor that none did.",
    ]


def _question(record: CallRecord, move: Moving, asked: Exchange | None, asked_at: datetime) -> str:
    what = f"the request of {iso(asked_at)} on {code(record.call.get('ai_call_id'))}"
    if move.refer_seen_at:
        return f"None: the REFER for {what} arrived."
    if asked and asked.status == 200:
        return f"Did a SIP REFER leave for {what}? If so, when, and what was answered? If not, why HTTP 200?"
    return f"Did a SIP REFER leave for {what}, and what was answered to it?"


def _session(record: CallRecord) -> list[str]:
    lines = [f"- {code(iso(row.at))} {code(row.kind)}{_more(row)}" for row in record.happened if row.kind in _SESSION]
    return lines or ["- No session: OpenAI's webhook was not received."]


def _more(row: Happening) -> str:
    told = dict(_particulars(row.body))
    return f" {', '.join(f'{name} {words(value)}' for name, value in told.items())}" if told else ""


def _particulars(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("status", "code", "reason", "message", "why", "again"):
        if body.get(name) not in (None, "", False):
            yield name, body[name]


def _looked_until(record: CallRecord) -> datetime:
    """Until when a REFER would have been seen: the record's end, or the end of the caller's call."""
    return min(record.made_at, moment(record.call.get("ended_at")) or record.made_at)
