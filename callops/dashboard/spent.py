"""What a call's assistant has cost, read for its page. Two queries."""

from __future__ import annotations

from callops.calls.models import Call
from callops.sideband.payload import TRANSCRIPTION_MODEL
from callops.supervision import cost
from callops.supervision.cost import Cost
from callops.supervision.models import Price


def of(call: Call) -> Cost | None:
    """The cost so far, by the prices of the day the call began; None while the assistant has used nothing."""
    usages = [usage for usage in call.sessions.values_list("usage", flat=True) if usage]
    if not usages:
        return None
    return cost.judge(
        usages,
        model=call.line.model if call.line else "",
        transcriber=TRANSCRIPTION_MODEL,
        day=call.started_at.date(),
        prices=list(Price.objects.all()),
    )
