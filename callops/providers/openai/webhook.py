"""The one webhook of a call: is it from OpenAI, and what does it say (contract OpenAI 1)."""

import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from callops.providers.identifiers import is_identifier
from callops.providers.openai.sip_headers import SipHeader

TOLERANCE_S = 300
MISSING = "a signature header is missing"
NO_MATCH = "no signature matches"
NO_SECRET = "no usable secret is configured"  # noqa: S105 - a sentence
TOO_OLD, TOO_NEW = "the delivery is too old", "the delivery is too new"

Runtime = Literal["realtime", "live"]

_INCOMING: dict[str, tuple[Runtime, str]] = {
    "realtime.call.incoming": ("realtime", "call_id"),
    "live.transport.incoming": ("live", "session_id"),
    "live.call.incoming": ("live", "session_id"),
}


class BadSignature(Exception):
    """The delivery cannot be shown to come from OpenAI; `reason` says why and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleTimestamp(BadSignature):
    """The signature is right but the delivery is more than 300 s away from our clock."""


class Malformed(Exception):
    """The body is not an event that can be read."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. `created_at` is in Unix seconds; `call_id` is the session id for the Live runtime.

    `runtime` is None for every type that is not an incoming call; such events are answered 2xx and ignored.
    """

    id: str
    type: str
    created_at: int | None
    call_id: str | None
    runtime: Runtime | None
    sip_headers: tuple[SipHeader, ...]
    media_security: str | None
    raw: dict[str, Any]


def verify(secrets: Sequence[str], *, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Returns when one of the secrets signed exactly this body within 300 s of `now` (contract OpenAI 1.3).

    Raises `BadSignature`, or `StaleTimestamp` when only the clock is wrong; exactly 300 s still passes.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = _signatures(given.get("webhook-signature", ""))
    if not (delivery and stamp and signatures):
        raise BadSignature(MISSING)
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise BadSignature("the timestamp is not an integer")
    expected = _expected(secrets, delivery=delivery, stamp=int(stamp), body=body)
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    if not any(matches):
        raise BadSignature(NO_MATCH if expected else NO_SECRET)
    age_s = now.timestamp() - int(stamp)
    if abs(age_s) > TOLERANCE_S:
        raise StaleTimestamp(TOO_OLD if age_s > 0 else TOO_NEW)


def parse(body: bytes) -> WebhookEvent:
    """The event of a verified body, tolerant of unknown types and keys (contract OpenAI 1.1, 1.2, 6).

    Raises `Malformed` when it is not a JSON object with `id` and `type`, or an incoming call without a usable id.
    """
    raw = _object(body)
    event_id, kind, created_at = raw.get("id"), raw.get("type"), raw.get("created_at")
    if not (isinstance(event_id, str) and isinstance(kind, str) and event_id and kind):
        raise Malformed("the event has no id or no type")
    runtime, key = _INCOMING.get(kind, (None, "call_id"))
    data = raw.get("data")
    content: dict[str, Any] = data if isinstance(data, dict) else {}
    call_id = content.get(key) if is_identifier(content.get(key)) else None
    if runtime and call_id is None:
        raise Malformed(f"{kind} has no usable {key}")
    security = content.get("sip_media_security")
    return WebhookEvent(
        id=event_id,
        type=kind,
        created_at=created_at if type(created_at) is int else None,
        call_id=call_id,
        runtime=runtime,
        sip_headers=_sip_headers(content.get("sip_headers")),
        media_security=security if isinstance(security, str) else None,
        raw=raw,
    )


def _signatures(header: str) -> list[bytes]:
    """The candidates of the header: `v1,` parts, and bare ones as the SDK accepts them; other versions are left out."""
    parts = [part.removeprefix("v1,") for part in header.split()]
    return [part.encode() for part in parts if part and "," not in part]


def _expected(secrets: Sequence[str], *, delivery: str, stamp: int, body: bytes) -> list[bytes]:
    try:
        text, moment = body.decode(), datetime.fromtimestamp(stamp, UTC)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadSignature("the body or the timestamp cannot be read") from error
    signers = (_signer(secret.strip()) for secret in secrets)
    return [signer.sign(delivery, moment, text).removeprefix("v1,").encode() for signer in signers if signer]


def _signer(secret: str) -> Webhook | None:
    """The library's signer; a secret without `whsec_` is used as raw bytes. None when the secret is unusable."""
    try:
        return Webhook(secret if secret.startswith("whsec_") else secret.encode())
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        return None


def _object(body: bytes) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(raw, dict):
        raise Malformed("the body is not a JSON object")
    return raw


def _sip_headers(value: object) -> tuple[SipHeader, ...]:
    entries = value if isinstance(value, list) else []
    pairs = [(entry.get("name"), entry.get("value")) for entry in entries if isinstance(entry, dict)]
    return tuple(SipHeader(name, text) for name, text in pairs if isinstance(name, str) and isinstance(text, str))
