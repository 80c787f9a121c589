"""One call read from the database as it stands now, as a record of plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from callops.calls.models import Call, Line
from callops.core.config import config
from callops.reports import frames
from callops.reports.record import CallRecord, Happening, Json, Moving, Said, Witnessed, iso
from callops.transfers.evidence import only_refer
from callops.transfers.models import TransferAttempt

BEFORE, AFTER = timedelta(seconds=10), timedelta(seconds=30)
"""How much of the sideband around a transfer shows whether the session was well."""
TIMES = ("started_at", "ai_dialled_at", "answered_at", "ended_at", "caller_left_at", "ai_left_at")
WORDS = (
    *("id", "from_number", "to_number", "topology", "carrier_sid", "ai_leg_sid", "runtime", "ai_call_id", "state"),
    *("ai_session", "correlation_method", "correlation_confidence", "ended_by", "failure_stage", "incomplete"),
)
FACT = ("seq", "at", "lane", "kind", "body")
LEG_WORDS = ("sid", "parent_sid", "role", "status", "sip_code", "screened")
LEG_TIMES = ("started_at", "answered_at", "ended_at", "accepted_at")


def gather(call: Call, *, at: datetime, pulse: bool = True) -> CallRecord:
    """What is stored of the call by `at`. Eight queries; without `pulse` no frame is read."""
    attempts = list(call.transfers.prefetch_related("evidence__event").order_by("pk"))
    window = _window(attempts) if pulse else None
    return CallRecord(
        made_at=at,
        call={name: getattr(call, name) for name in WORDS} | {name: iso(getattr(call, name)) for name in TIMES},
        settings=_settings(call.line),
        legs=[_leg(leg) for leg in call.legs.all()],
        happened=[
            Happening(seq=seq, at=moment, lane=lane, kind=kind, body=body)
            for seq, moment, lane, kind, body in call.events.order_by("seq").values_list(*FACT)
        ],
        said=[
            Said(
                at=turn.started_at,
                speaker=turn.speaker,
                text=turn.text,
                heard_chars=turn.heard_chars,
                final=turn.final,
                partial=turn.partial,
            )
            for turn in call.turns.order_by("position", "pk")
        ],
        moves=[_moving(attempt, call) for attempt in attempts],
        pulse=frames.pulse(call, *window) if window else (),
        pulse_from=window[0] if window else None,
        pulse_until=window[1] if window else None,
        secrets=secrets_of(call, attempts),
    )


def _moving(attempt: TransferAttempt, call: Call) -> Moving:
    attempt.call = call
    return Moving(
        id=attempt.pk,
        label=attempt.target_label,
        uri=attempt.target_uri,
        policy=attempt.policy,
        requested_by=attempt.requested_by,
        requested_at=attempt.requested_at,
        refer_only=only_refer(attempt),
        state=attempt.state,
        mechanism=attempt.mechanism,
        outcome=attempt.outcome,
        because=attempt.because,
        human_connected_at=attempt.human_connected_at,
        refer_asked_at=attempt.refer_asked_at,
        refer_deadline_at=attempt.refer_deadline_at,
        refer_seen_at=attempt.refer_seen_at,
        evidence=[
            Witnessed(kind=row.kind, witness=row.witness, at=row.at, seq=row.event.seq, detail=row.detail)
            for row in attempt.evidence.all()
        ],
    )


def _leg(leg: Any) -> Json:
    return {name: getattr(leg, name) for name in LEG_WORDS} | {name: iso(getattr(leg, name)) for name in LEG_TIMES}


def _window(attempts: Iterable[TransferAttempt]) -> tuple[datetime, datetime] | None:
    """The time around the last REFER, else around the last wish, in whole seconds."""
    referred = [attempt.refer_asked_at for attempt in attempts if attempt.refer_asked_at]
    asked = referred or [attempt.requested_at for attempt in attempts]
    if not asked:
        return None
    second = asked[-1].replace(microsecond=0)
    return second - BEFORE, second + AFTER


def _settings(line: Line | None) -> Json:
    """The settings that decide how this call is answered and moved; of long texts the hash only."""
    ours = config()
    shown: Json = {
        "openai_base_url": ours.openai_base_url,
        "openai_sip_host": ours.openai_sip_host,
        "openai_project_id": ours.openai_project_id,
        "twilio_base_url": ours.twilio_base_url,
        "twilio_account_sid": ours.twilio_account_sid,
        "webhook_deadline_s": ours.webhook_deadline_s,
        "refer_deadline_s": ours.refer_deadline_s,
        "simulated_providers": ours.demo,
    }
    if line is None:
        return {**shown, "line": None}
    names = ("number", "name", "topology", "transfer_policy", "refer_target", "refer_deadline_s", "ai_retries")
    more = ("rescue_in_document", "model", "voice", "redact")
    of_line = {name: getattr(line, name) for name in (*names, *more)}
    texts = {f"{name}_sha256": _hash(getattr(line, name)) for name in ("instructions", "greeting")}
    return {**shown, "line": of_line | texts}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def secrets_of(call: Call, attempts: Iterable[TransferAttempt]) -> list[str]:
    """Unguessable parts of our addresses, and the credentials themselves should one ever stand in a fact."""
    ours = config()
    credentials = [
        ours.secret_key,
        ours.openai_api_key,
        ours.twilio_api_key_secret,
        *ours.openai_webhook_secrets,
        *ours.twilio_auth_tokens,
    ]
    return [text for text in (call.token, *(one.token for one in attempts), *credentials) if len(text) >= 8]
