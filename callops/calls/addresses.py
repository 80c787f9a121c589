"""The addresses of one call that the carrier is handed: absolute, under the public URL, with an unguessable token."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from django.urls import reverse

from callops.calls.models import Call
from callops.core.config import config

Name = Literal["dial_ended", "leg", "refer", "rescue_leg", "rescue_ended", "rescue_screen", "rescue_pressed"]


def of_call(name: Name, call: Call, **query: int) -> str:
    """What the carrier asks about this call: the AI dial's action, a leg's status, a REFER, a rescue's dial."""
    tail = f"?{urlencode(query)}" if query else ""
    return config().public_url + reverse(f"twiml:{name}", args=[call.token]) + tail
