"""What a carrier request says, in our words: leg news and the few fields worth a timeline row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callops.calls.intake import LegNews
from callops.calls.lifecycle import OVER
from callops.calls.models import Call
from callops.calls.words import LegStatus, Role
from callops.providers.twilio.callbacks import Callback


def status_of(word: str | None) -> LegStatus | None:
    """Twilio's word as ours; None for a word nobody here knows."""
    if word == "answered":
        return LegStatus.COMPLETED
    return LegStatus(word) if word in LegStatus.values else None


def caller_is_gone(callback: Callback) -> bool:
    """`CallStatus` tells who is still there when a dial has ended (contract Twilio 2.2)."""
    status = status_of(callback.call_status)
    return status is not None and status in OVER


def legs_at_dial_end(callback: Callback, call: Call, role: Role) -> list[LegNews]:
    """The dialled leg is over, and the caller's too when `CallStatus` says so."""
    news = []
    if callback.dial_call_sid and (ended := status_of(callback.dial_call_status)):
        news.append(
            LegNews(
                sid=callback.dial_call_sid,
                role=role,
                status=ended,
                parent_sid=callback.call_sid,
                sip_code=callback.dial_sip_response_code,
            )
        )
    return [*news, *caller_leg(callback, call)]


def caller_leg(callback: Callback, call: Call) -> list[LegNews]:
    """What a request about the caller's leg says of that leg."""
    status = status_of(callback.call_status)
    if status is None or callback.call_sid != call.carrier_sid:
        return []
    return [LegNews(sid=callback.call_sid, role=Role.CALLER, status=status)]


def leg_of(callback: Callback, role: Role, *, screened: bool = False) -> list[LegNews]:
    """A status callback's own leg."""
    status = status_of(callback.call_status)
    if status is None:
        return []
    parent = callback.parent_call_sid or ""
    news = LegNews(
        sid=callback.call_sid,
        role=role,
        status=status,
        parent_sid=parent,
        sip_code=callback.sip_response_code,
        screened=screened,
    )
    return [news]


def screened_leg(callback: Callback, *, accepted: bool) -> list[LegNews]:
    """The person's leg as its own document's request shows it: picked up, and let through or not (Twilio 2.4)."""
    parent = callback.parent_call_sid or ""
    news = LegNews(
        sid=callback.call_sid,
        role=Role.HUMAN,
        status=LegStatus.IN_PROGRESS,
        parent_sid=parent,
        screened=True,
        accepted=accepted,
    )
    return [news]


def dial_end_body(callback: Callback, **more: Any) -> dict[str, Any]:
    """The end of a dial as it stands on the timeline."""
    return {
        "dial_status": callback.dial_call_status,
        "bridged": callback.dial_bridged,
        "sip_code": callback.dial_sip_response_code,
        "caller_on_line": not caller_is_gone(callback),
        **callback.received,
        **more,
    }


def leg_body(callback: Callback, role: Role, **more: Any) -> dict[str, Any]:
    """A leg's status as it stands on the timeline."""
    return {
        "role": role,
        "sid": callback.call_sid,
        "status": callback.call_status,
        "sip_code": callback.sip_response_code,
        **callback.received,
        **more,
    }


def leaving(callback: Callback, at: datetime) -> dict[str, Any]:
    """The call's fields that follow from a caller who hung up."""
    return {"caller_left_at": at} if caller_is_gone(callback) else {}
