"""How a call ended, for its page: the carrier's facts and who was speaking, judged together."""

from __future__ import annotations

from dataclasses import replace

from callops.calls import ends
from callops.calls.ends import End, Talk
from callops.calls.judging import end_facts
from callops.calls.models import Call
from callops.sideband.models import AiSession


def end_of(call: Call) -> End | None:
    """Who ended the call and why; None while it goes on. Two queries."""
    if not call.is_over:
        return None
    session = AiSession.objects.filter(call=call, ai_call_id=call.ai_call_id).first() if call.ai_call_id else None
    facts = end_facts(call, call.legs.all())
    if session is not None:
        facts = replace(facts, close_reason=session.close_reason, talk=_talk(session))
    return ends.judge(facts)


def _talk(session: AiSession) -> Talk | None:
    """Who was speaking when the sideband dropped; None when it never did."""
    if session.dropped_at is None:
        return None
    signs = session.signs
    return Talk(session.dropped_at, signs.caller_speaking, signs.assistant_speaking)
