"""A call again as it was seen, at a speed of one's choice: the page asks for its next moment by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core.clock import now
from callops.dashboard import access
from callops.dashboard.timeline_page import number
from callops.dashboard.timeline_rows import timeline_rows
from callops.reports import rows as timeline
from callops.reports.gathering import gather
from callops.reports.masking import masked
from callops.reports.overview import strip
from callops.reports.record import CallRecord
from callops.reports.replay import cut

SPEEDS = (1, 4, 16)
JUMP_S = 10.0
LINES, ROWS = 12, 14
"""How many lines of the transcript and rows of the timeline are in sight; the newest are."""


@never_cache
@require_safe
@access.signed_in
def replay_page(request: HttpRequest, call_id: str) -> HttpResponse:
    """The call at the moment of the address; while it plays, the moment moves with the clock."""
    call, at = access.call(request, call_id), now()
    record = masked(gather(call, at=at, pulse=False), numbers=True)
    began, whole_s = timeline.began(record), _length(record)
    speed = _speed(request.GET)
    moment_s = min(whole_s, _moment(request.GET, at, speed))
    plays = request.GET.get("play") == "1" and moment_s < whole_s
    then = cut(record, timeline.seconds(began, moment_s))
    context = {
        "call": call,
        "moment_s": moment_s,
        "whole_s": whole_s,
        "at": then.made_at,
        "speed": speed,
        "plays": plays,
        "moves": list(reversed(then.moves)),
        "said": then.said[-LINES:],
        "rows": timeline_rows(timeline.every_row(then)[-ROWS:], call.pk),
        "ways": _ways(moment_s, whole_s, speed, at, plays=plays),
        "next": _address(request.GET.get("at"), speed, request.GET.get("since")) if _goes_on(request) else "",
        **_strip(record, began, whole_s, speed, moment_s),
    }
    if plays and not context["next"]:
        context["next"] = _address(moment_s, speed, _ms(at))
    template = "dashboard/_replay.html" if access.is_htmx(request) else "dashboard/replay.html"
    return render(request, template, context)


def _length(record: CallRecord) -> float:
    """From the first fact to the last row."""
    return max(0.1, (timeline.ended(record) - timeline.began(record)).total_seconds())


def _moment(asked: Mapping[str, str], at: datetime, speed: int) -> float:
    """The moment of the address, and as much later as it has been playing."""
    start_s, since_ms = number(asked.get("at")) or 0.0, _since(asked)
    if asked.get("play") != "1" or since_ms is None:
        return start_s
    return max(start_s, start_s + speed * (_ms(at) - since_ms) / 1000)


def _since(asked: Mapping[str, str]) -> int | None:
    told = asked.get("since", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= 14 else None


def _goes_on(request: HttpRequest) -> bool:
    """Whether the address already says since when it plays."""
    return request.GET.get("play") == "1" and _since(request.GET) is not None


def _speed(asked: Mapping[str, str]) -> int:
    told = asked.get("speed", "")
    return int(told) if told in {str(each) for each in SPEEDS} else SPEEDS[0]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _address(moment_s: Any, speed: int, since: Any = None) -> str:
    """A moment; with `since` it plays from there, since that unix millisecond."""
    start = number(str(moment_s)) or 0.0
    pairs = [("at", f"{start:.2f}"), ("speed", str(speed))]
    pairs += [("play", "1"), ("since", str(since))] if since is not None else []
    return f"?{urlencode(pairs)}"


def _ways(moment_s: float, whole_s: float, speed: int, at: datetime, *, plays: bool) -> dict[str, Any]:
    """Where one can go from here; whatever plays goes on playing."""
    since = _ms(at) if plays else None
    first = 0.0 if moment_s >= whole_s else moment_s
    return {
        "play": f"{_address(first, speed)}&play=1",
        "pause": _address(moment_s, speed),
        "back": _address(max(0.0, moment_s - JUMP_S), speed, since),
        "on": _address(min(whole_s, moment_s + JUMP_S), speed, since),
        "speeds": [(each, _address(moment_s, each, since)) for each in SPEEDS],
    }


def _strip(record: CallRecord, began: datetime, whole_s: float, speed: int, moment_s: float) -> dict[str, Any]:
    """The overview of the whole call; its parts lead to their beginning."""
    every = timeline.every_row(record)
    lanes = timeline.lanes_of(every)
    drawn = strip(
        every,
        [lane for lane, _, _ in lanes],
        began=began,
        start_s=0.0,
        end_s=whole_s,
        href=lambda first_s, last_s: _address(first_s, speed),
        words="Go to",
        here_s=moment_s,
    )
    return {"strip": mark_safe(drawn), "lanes": lanes}  # noqa: S308 - figures, and addresses that were escaped
