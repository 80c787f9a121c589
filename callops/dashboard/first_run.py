"""Before the first call: what is set up and what is not, what to enter where, and a simulated call to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from callops.alerts.alarms import Signs
from callops.calls.models import Call, Line
from callops.core.clock import now
from callops.core.config import Config, config
from callops.dashboard import access, signs

STAGE_MAY_TAKE_S: Final = 5.0
FEW: Final = 5


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the page says: the lines that are loaded, our two doors, and what is known of them."""

    lines: Sequence[str]
    more: int
    twilio_url: str
    openai_url: str
    reachable: bool
    """Whether our public address is one that the providers can reach; simulated ones reach every address."""
    signs: Signs
    simulated: bool

    @property
    def is_ready(self) -> bool:
        """Nothing is missing that can be seen from here."""
        return bool(self.lines and self.reachable and self.signs.engines)


def before_the_first_call() -> FirstRun | None:
    """How far the house is set up; None as soon as there was a call."""
    if Call.objects.exists():
        return None
    return first_run(list(Line.objects.order_by("name").values_list("name", flat=True)), signs.house(now()).signs)


def first_run(names: Sequence[str], seen: Signs, settings: Config | None = None) -> FirstRun:
    """What these settings make of it."""
    told = settings or config()
    return FirstRun(
        lines=names[:FEW],
        more=max(0, len(names) - FEW),
        twilio_url=f"{told.public_url}/twiml/inbound",
        openai_url=f"{told.public_url}/webhooks/openai",
        reachable=told.demo or urlsplit(told.public_url).scheme == "https",
        signs=seen,
        simulated=told.demo,
    )


@require_POST
@access.acting
def simulated_call(request: HttpRequest) -> HttpResponse:
    """Somebody calls, if the providers are simulated ones; the call appears on the board by itself."""
    if not config().demo:
        why = (
            "The providers are real ones here, so nobody can be made to call. `manage.py serve --demo` simulates them."
        )
        return _not_called(request, why, status=409)
    try:
        answer = httpx.post(
            f"{config().twilio_base_url}/_stage/calls",
            json={"scenario": "default"},
            timeout=STAGE_MAY_TAKE_S,
            trust_env=False,
        )
        answer.raise_for_status()
    except httpx.HTTPError:
        why = "The simulator does not answer. It is started anew by itself within seconds; then try again."
        return _not_called(request, why, status=409)
    return redirect("dashboard:board", permanent=False)


def _not_called(request: HttpRequest, why: str, *, status: int) -> HttpResponse:
    return render(request, "dashboard/not_called.html", {"why": why, "here": "board"}, status=status)
