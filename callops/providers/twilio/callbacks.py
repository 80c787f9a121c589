"""What the carrier tells us about a leg, whichever URL it arrives at (contract Twilio 1.1, 2.2 to 2.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callops.providers.identifiers import is_identifier
from callops.providers.numbers import address_in, number_in
from callops.providers.twilio.values import claim, count, moment, words


class Malformed(Exception):
    """The request cannot be read; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One carrier request. Missing and empty parameters are None; `raw` keeps all of them as they came, `headers` those
    that matter, without the signature.

    In a status callback `call_sid` is the leg that changed, in an action or REFER request the caller's leg.
    `dial_bridged` is the only sign that two parties were connected; order a leg's callbacks by `sequence_number`.
    """

    call_sid: str
    parent_call_sid: str | None
    account_sid: str | None
    from_: str | None
    to: str | None
    call_status: str | None
    direction: str | None
    sequence_number: int | None
    timestamp: datetime | None
    dial_call_status: str | None
    dial_call_sid: str | None
    dial_bridged: bool | None
    dial_sip_response_code: int | None
    dial_call_duration_s: int | None
    sip_response_code: int | None
    call_duration_s: int | None
    refer_transfer_target: str | None
    digits: str | None
    error_code: int | None
    raw: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def received(self) -> dict[str, Any]:
        """The request as it stands on the timeline."""
        return {"params": self.raw, "headers": self.headers}


def parse(params: Mapping[str, str]) -> Callback:
    """The typed form of a verified request, everything kept in `raw`; raises `Malformed` without a CallSid."""
    call_sid = params.get("CallSid", "")
    if not is_identifier(call_sid):
        raise Malformed("the request has no usable CallSid")
    return Callback(
        call_sid=call_sid,
        parent_call_sid=_sid(params.get("ParentCallSid")),
        account_sid=_sid(params.get("AccountSid")),
        from_=words(params.get("From")),
        to=words(params.get("To")),
        call_status=words(params.get("CallStatus")),
        direction=words(params.get("Direction")),
        sequence_number=count(params.get("SequenceNumber")),
        timestamp=moment(params.get("Timestamp")),
        dial_call_status=words(params.get("DialCallStatus")),
        dial_call_sid=_sid(params.get("DialCallSid")),
        dial_bridged=claim(params.get("DialBridged")),
        dial_sip_response_code=count(params.get("DialSipResponseCode")),
        dial_call_duration_s=count(params.get("DialCallDuration")),
        sip_response_code=count(params.get("SipResponseCode")),
        call_duration_s=count(params.get("CallDuration")),
        refer_transfer_target=words(params.get("ReferTransferTarget")),
        digits=words(params.get("Digits")),
        error_code=count(params.get("ErrorCode")),
        raw={name: params[name] for name in params},
    )


def refer_target(value: str) -> str:
    """The bare URI of a `ReferTransferTarget`, without display name, brackets and headers (contract Twilio 2.3)."""
    return address_in(value).partition("?")[0]


def caller_number(value: str | None) -> str | None:
    """The caller's number in E.164; None when it is withheld, in whatever spelling (contract Twilio 1.1)."""
    return number_in(value)


def _sid(value: str | None) -> str | None:
    return value if is_identifier(value) else None
