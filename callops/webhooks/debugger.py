"""The account's Debugger webhook, if it is configured: errors and warnings, some of them a REFER's only witness."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from callops.calls import belated, intake, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.core import clock
from callops.providers.twilio.alerts import Alert
from callops.transfers import moves
from callops.webhooks.gate import from_debugger


@from_debugger
@transaction.atomic
def alert(request: HttpRequest, raised: Alert) -> HttpResponse:
    """The alert is on the timeline of the call it is about, else in the log; once, however often it is delivered."""
    call = belated.call_with(raised.resource_sid) if raised.resource_sid else None
    if call is None:
        timeline.log(**_fact(raised))
    else:
        _on_timeline(call, raised)
    return HttpResponse(status=204)


def _on_timeline(call: Call, raised: Alert) -> None:
    """13802 and 32218 are evidence as well: the REFER arrived and did nothing (contract Twilio 4 and 5)."""
    event = intake.record(call.pk, **_fact(raised))
    if event is not None and raised.is_about_a_refer:
        moves.refer_refused(call.pk, at=event.at, event=event, code=raised.code, raised_at=raised.raised_at)


def _fact(raised: Alert) -> dict[str, Any]:
    body = {
        "code": raised.code,
        "text": raised.text,
        "level": raised.level,
        "resource_sid": raised.resource_sid,
        "raised_at": raised.raised_at.isoformat() if raised.raised_at else None,
        "params": raised.raw,
    }
    identity = {"source": "twilio", "source_id": f"alert:{raised.sid}"}
    return {"at": clock.now(), "kind": Kind.CARRIER_ALERT, "lane": Lane.CARRIER, "body": body, **identity}
