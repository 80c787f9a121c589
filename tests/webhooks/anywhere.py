"""A URLconf for tests: every path is a carrier's door, so that the contract's vectors meet the real gate."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from callops.calls import intake
from callops.core import clock
from callops.providers.twilio.callbacks import Callback
from callops.webhooks.gate import delivery_id, from_carrier


@from_carrier
def door(request: HttpRequest, callback: Callback) -> HttpResponse:
    """Keeps the call it hears of, as the real doors do."""
    intake.inbound(
        call_sid=callback.call_sid,
        from_number=callback.from_ or "",
        to_number=callback.to or "",
        params=callback.raw,
        at=clock.now(),
        source_id=delivery_id(request, callback, "door"),
    )
    return HttpResponse(status=204)


urlpatterns = [re_path(r"^.*$", door)]
