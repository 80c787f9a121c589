"""What befell one caller, from the records of both halves: legs, steps and requests, without the words spoken."""

from __future__ import annotations

from typing import Any

from callops.simulator.openai.stage import OpenAiStage
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.stage import TwilioStage

Json = dict[str, Any]
SPOKEN = frozenset({"event", "client_event"})


def story_of(caller: Call, *, twilio: TwilioStage, openai: OpenAiStage) -> Json:
    """The caller's legs, oldest first, and both records as far as they are about them."""
    legs = [call for call in twilio.calls.values() if call.caller is caller]
    sids = {leg.sid for leg in legs}
    ai_calls = {call.id for call in openai.calls.values() if call.header("X-Twilio-CallSid") in sids}
    return {
        "call_sid": caller.sid,
        "scenario": caller.scenario.name,
        "over": all(leg.ended for leg in legs),
        "legs": [_leg(leg) for leg in legs],
        "twilio": [entry for entry in twilio.record if entry.get("call_sid") in sids],
        "openai": [
            entry for entry in openai.record if entry.get("call_id") in ai_calls and entry["kind"] not in SPOKEN
        ],
    }


def _leg(call: Call) -> Json:
    return {
        "call_sid": call.sid,
        "parent_call_sid": call.parent.sid if call.parent else None,
        "to": call.to,
        "direction": call.direction,
        "status": call.status,
        "was_answered": call.answered_at is not None,
    }
