"""Errors and warnings of the account as its Debugger webhook posts them (contract Twilio 5 and 8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callops.providers.identifiers import is_identifier
from callops.providers.twilio.callbacks import Malformed
from callops.providers.twilio.values import count, instant, words

REFER_IGNORED = 13802
"""A REFER arrived on a leg whose dial had no `referUrl`: it was ignored."""
REFER_REFUSED = 32218
"""A REFER arrived on a trunk that does not allow this transfer: it was refused."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the Debugger. `sid` (`NO…`) is its identity; `resource_sid` the leg it is about, if it is about one.

    `raised_at` is the carrier's clock; the request comes seconds later. `raw` keeps the form as it came.
    """

    sid: str
    code: int
    text: str
    level: str
    resource_sid: str | None
    raised_at: datetime | None
    raw: dict[str, str]

    @property
    def is_about_a_refer(self) -> bool:
        """Whether it says that a REFER arrived and did nothing."""
        return self.code in (REFER_IGNORED, REFER_REFUSED)


def parse(params: Mapping[str, str]) -> Alert:
    """The alert of a verified form; raises `Malformed` without a Sid, a readable Payload, or an error code."""
    sid = params.get("Sid", "")
    if not is_identifier(sid):
        raise Malformed("the alert has no usable Sid")
    payload = _payload(params.get("Payload", ""))
    code = count(str(payload.get("error_code", "")))
    if code is None:
        raise Malformed("the alert's Payload has no error_code")
    resource_sid = payload.get("resource_sid")
    return Alert(
        sid=sid,
        code=code,
        text=_text(payload.get("more_info")),
        level=(words(params.get("Level")) or "").lower(),
        resource_sid=resource_sid if is_identifier(resource_sid) else None,
        raised_at=instant(params.get("Timestamp")),
        raw={name: params[name] for name in params},
    )


def _payload(text: str) -> dict[str, Any]:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Malformed("the alert's Payload is not a JSON object")
    return payload


def _text(more_info: object) -> str:
    """What went wrong, in the carrier's words; the payload's keys are known from memory only (contract Twilio 5)."""
    if isinstance(more_info, dict):
        return words(more_info.get("Msg")) or ""
    return words(more_info) or ""
