"""Calls of the past for reports: the field report's case as our doors and the engine write it, and records by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.core.ids import new_token
from callops.providers.told import Told
from callops.reports.record import CallRecord, Happening, Moving, Said, Witnessed
from callops.sideband.models import FrameBatch
from callops.sideband.packing import packed
from callops.transfers import commands, steps
from callops.transfers.models import TransferAttempt
from tests.rows import NOON, at, make_call, make_destination, make_line, make_session

SILENT_200 = Told(
    status=200,
    duration_ms=616,
    absent=("x-request-id", "openai-processing-ms"),
    headers={"content-length": "0", "date": "Sun, 01 Mar 2026 12:00:20 GMT", "server": "cloudflare"},
)
ORDINARY = ("output_audio_buffer.started", "response.output_audio.done", "input_audio_buffer.speech_started")


def silent_refer(answer: Told = SILENT_200, **line: Any) -> tuple[Call, TransferAttempt]:
    """A healthy call whose REFER was answered 200 at 12:00:20.616, and of which nobody saw anything by its deadline."""
    call = make_call(make_line(transfer_policy="refer_only", **line), token=new_token())
    session = make_session(call, opened_at=at(2))
    _announce(call)
    asked_at = at(20)
    attempt = commands.request_transfer(
        call=call, asked_by="supervisor1", now=asked_at, destination=make_destination(label="Front desk")
    )
    steps.claim_refer(attempt.pk, now=asked_at)
    steps.refer_answered(attempt.pk, answer, now=at(20.616))
    steps.pass_deadline(attempt.pk, now=at(24))
    _ordinary_frames(session.pk, asked_at)
    call.refresh_from_db()
    attempt.refresh_from_db()
    return call, attempt


def _announce(call: Call) -> None:
    headers = [
        {"name": "Call-ID", "value": "7a1c@northline"},
        {"name": "From", "value": '"+15550123" <sip:+15550123@pstn.twilio.com>;tag=1'},
        {"name": "X-Callops-Sig", "value": "do-not-tell"},
    ]
    told = {"type": "realtime.call.incoming", "call_id": call.ai_call_id, "created_at": NOON.isoformat()}
    body = {**told, "sip_headers": headers, "headers": {"webhook-id": "wh_1"}}
    timeline.note(call, at=at(0.4), kind=Kind.OPENAI_WEBHOOK, lane=Lane.OPENAI, body=body)
    opened = {"again": False, "duration_ms": 620}
    timeline.note(call, at=at(2), kind=Kind.OPENAI_SIDEBAND_OPEN, lane=Lane.OPENAI, body=opened)
    url = f"https://desk.example/carrier/{call.token}/leg"
    params = {"CallSid": call.ai_leg_sid, "CallStatus": "in-progress", "From": "+15550123", "Url": url}
    leg = {"role": "ai", "sid": call.ai_leg_sid, "status": "in-progress", "params": params}
    timeline.note(call, at=at(1), kind=Kind.CARRIER_LEG, lane=Lane.CARRIER, body=leg)


def _ordinary_frames(session_id: int, around: datetime) -> None:
    """Three ordinary audio events a second, from ten seconds before until forty after."""
    start = round(around.timestamp() * 1000) - 10_000
    frames = [
        (start + 1000 * second + 100 * index, b'{"type":"%b"}' % kind.encode())
        for second in range(50)
        for index, kind in enumerate(ORDINARY)
    ]
    FrameBatch.objects.create(
        session_id=session_id, first=0, count=len(frames), received_at=at(60), packed=packed(frames)
    )


def record(**fields: Any) -> CallRecord:
    """A record of a call by hand: nothing happened on it."""
    known: dict[str, Any] = {
        "made_at": at(60),
        "call": {"id": "01CALL", "from_number": "+15550123", "to_number": "+15550100", "topology": "twiml"},
        "settings": {"openai_base_url": "https://api.openai.com/v1", "webhook_deadline_s": 6.0},
    }
    return CallRecord(**{**known, **fields})


def row(seq: int, kind: Kind, seconds: float = 0.0, **body: Any) -> Happening:
    """One fact, on the lane its kind begins with."""
    lane = kind.split(".", maxsplit=1)[0]
    return Happening(seq=seq, at=at(seconds), lane=lane, kind=kind, body=body)


def said(text: str, speaker: str = "caller", at_s: float = 0.0, **fields: Any) -> Said:
    """One line of the transcript."""
    return Said(at=at(at_s), speaker=speaker, text=text, **fields)


def moving(evidence: list[Witnessed], **fields: Any) -> Moving:
    """A transfer with this evidence; what is recorded of it is not looked at."""
    known: dict[str, Any] = {
        "id": "01MOVE",
        "label": "Front desk",
        "uri": "tel:+15550111",
        "policy": "refer_then_redirect",
        "requested_by": "supervisor1",
        "requested_at": NOON,
        "refer_only": False,
        "state": "settled",
        "mechanism": "unknown",
        "outcome": "unknown",
        "because": "",
    }
    return Moving(evidence=evidence, **{**known, **fields})
