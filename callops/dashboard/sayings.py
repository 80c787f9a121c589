"""Pieces of sentences that the timeline and a transfer's proof share: values, answers, pauses. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from callops.calls.words import LegStatus

Body = Mapping[str, Any]

VIA = {"refer": "because of the REFER", "redirect": "because of the redirect", "dial_action": "when the AI's leg ended"}
ABSENT = {
    "x-request-id": "a request id",
    "request-id": "a request id",
    "twilio-request-id": "a request id",
    "openai-processing-ms": "a processing time",
    "processing-ms": "a processing time",
}


def said(value: Any, fallback: str = "") -> str:
    """The value as plain text on one line, shortened."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return (f"{text[:157]}…" if len(text) > 160 else text) or fallback


def seconds(value: Any) -> str:
    """A length of time such as `4.0 s`, or a vague one when it is not a number."""
    return f"{float(value):.1f} s" if isinstance(value, int | float) else "a while"


def answer(what: str, body: Body) -> str:
    """An HTTP answer: status, what was absent, and how long it took."""
    status = body.get("status")
    parts = [f"{what} was answered {status}" if status is not None else f"{what} was answered"]
    if isinstance(status, int) and status >= 400:
        parts[0] = f"{what} was refused with {status}" + (f"/{body['error_code']}" if body.get("error_code") else "")
    if body.get("absent") and not (isinstance(status, int) and status >= 400):
        parts.append(f"without {_absent(body['absent'])}")
    if isinstance(body.get("duration_ms"), int | float):
        parts.append(f"after {body['duration_ms']:.0f} ms")
    detail = said(body.get("error") or body.get("reason"))
    return " ".join(parts) + (f": {detail}" if detail else "") + "."


def silence(what: str, body: Body) -> str:
    """A request whose answer never came: whether it took effect is unknown."""
    reason = said(body.get("reason"))
    return f"{what} was not answered" + (f" ({reason})" if reason else "") + "; whether it took effect is not known."


def _absent(names: Any) -> str:
    listed = [str(name) for name in names] if isinstance(names, list | tuple) else [str(names)]
    plain = [ABSENT.get(name.lower().replace("_", "-"), name) for name in listed]
    return " and ".join(dict.fromkeys(plain))


def legs_told(caller: Any, ai: Any) -> str:
    """What the carrier told of the legs when it was asked; empty when it told nothing."""
    legs = [("the caller's leg", caller), ("the AI's leg", ai)]
    return ", ".join(
        f"{who} is {LegStatus(status).label if status in LegStatus.values else said(status)}"
        for who, status in legs
        if status
    )
