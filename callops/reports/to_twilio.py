"""The report for Twilio: the legs of one call, what was asked and told, and what was expected and not seen. Pure."""

from __future__ import annotations

from typing import Final

from callops.calls.kinds import Kind
from callops.reports import markdown
from callops.reports.absences import missing
from callops.reports.exchanges import exchanges, webhooks
from callops.reports.markdown import facts, table, words
from callops.reports.plain import code
from callops.reports.record import CallRecord, Happening, iso
from callops.reports.skew import skew_of

_PARAMS: Final = (
    *("CallStatus", "DialCallStatus", "DialBridged", "SipResponseCode", "DialSipResponseCode", "ErrorCode"),
    *("ReferTransferTarget", "SequenceNumber", "Timestamp"),
)


def report(record: CallRecord) -> str:
    """The whole report as Markdown."""
    return markdown.document(
        "# A call, as told by Twilio's requests and answers",
        _ids(record),
        "## Legs",
        _legs(record),
        "## What was asked over REST",
        _asked(record),
        "## What Twilio requested of us",
        _told(record),
        "## What was expected and not seen",
        _missing(record),
        "## The question",
        _question(record),
    )


def _ids(record: CallRecord) -> list[str]:
    call = record.call
    return facts(
        [
            ("Account", code(record.settings.get("twilio_account_sid"))),
            ("Call of the caller", code(call.get("carrier_sid"))),
            ("Leg to OpenAI", code(call.get("ai_leg_sid"))),
            ("OpenAI call", code(call.get("ai_call_id"))),
            ("From, to", f"{code(call.get('from_number'))}, {code(call.get('to_number'))}"),
            ("Topology", "Elastic SIP trunk" if call.get("topology") == "trunk" else "TwiML `<Dial><Sip>`"),
            ("All times", "UTC, by the application's clock; `Timestamp` is Twilio's"),
            ("Clocks", skew_of(record, "carrier").sentence),
            ("Record made at", code(iso(record.made_at))),
        ]
    )


def _legs(record: CallRecord) -> list[str]:
    times = ("started_at", "answered_at", "ended_at")
    rows = [
        [
            words(leg.get("role")),
            code(leg.get("sid")),
            code(leg.get("parent_sid")),
            words(leg.get("status")),
            code(leg.get("sip_code")),
            *(code(leg.get(name)) for name in times),
        ]
        for leg in record.legs
    ]
    head = ["leg", "CallSid", "parent", "status", "SIP", "began", "answered", "ended"]
    return table(head, rows) if rows else ["None."]


def _asked(record: CallRecord) -> list[str]:
    rows = []
    for each in exchanges(record):
        if each.to == "twilio":
            error = f", code {words(each.error_code)}" if each.error_code else ""
            answer = f"HTTP {each.status}{error}" if each.status else f"no answer {words(each.reason)}".rstrip()
            took = "–" if each.duration_ms is None else f"{each.duration_ms} ms"
            rows.append([code(iso(each.asked_at)), code(each.request), answer, code(each.request_id), took])
    return table(["asked at", "request", "answer", "Twilio-Request-Id", "took"], rows) if rows else ["Nothing."]


def _told(record: CallRecord) -> list[str]:
    told = [row for row in webhooks(record) if row.kind != Kind.OPENAI_WEBHOOK]
    told += [row for row in record.happened if row.kind == Kind.CARRIER_ALERT and "params" not in row.body]
    rows = [[code(iso(row.at)), code(row.kind), *_said(row)] for row in sorted(told, key=lambda row: row.seq)]
    return table(["received at", "request", "CallSid", "parameters"], rows) if rows else ["Nothing."]


def _said(row: Happening) -> list[str]:
    params = row.body.get("params") or {}
    shown = [f"{name}={params[name]}" for name in _PARAMS if params.get(name)]
    if row.kind == Kind.CARRIER_ALERT:
        shown.append(f"{row.body.get('code')} {row.body.get('text') or ''}")
    return [code(params.get("CallSid") or row.body.get("sid")), code(" ".join(shown))]


def _missing(record: CallRecord) -> list[str]:
    concerned = [each for each in missing(record) if each.lane == "carrier"]
    return [f"- {words(each.sentence)}." for each in concerned] or ["- Nothing: all we wait for was seen in time."]


def _question(record: CallRecord) -> list[str]:
    leg = code(record.call.get("ai_leg_sid") or record.call.get("carrier_sid"))
    asked = "Did a SIP REFER arrive in the dialog of leg"
    unseen = [move for move in record.moves if move.refer_asked_at and not move.refer_seen_at]
    return [f"- {asked} {leg} after {iso(move.refer_asked_at)}, and what was answered to it?" for move in unseen] or [
        "None."
    ]
