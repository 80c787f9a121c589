"""The whole timeline of a call: lanes, filters and zoom in the address, what was not seen, and raw facts on demand."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.calls.models import Call, Event
from callops.core.clock import now
from callops.dashboard import access, wording
from callops.dashboard.reporting import first_wrong
from callops.dashboard.timeline_rows import timeline_rows
from callops.reports import frames
from callops.reports import rows as timeline
from callops.reports.exchanges import provider_moment
from callops.reports.gathering import gather, secrets_of
from callops.reports.masking import Mask, masked
from callops.reports.overview import strip
from callops.reports.record import CallRecord, Happening
from callops.reports.rows import Row, Wanted
from callops.reports.skew import skews
from callops.reports.trouble import first

MOST_FRAMES = 20_000
"""Events of the sideband that are read for one page."""
MOST = 2000
"""Rows of one page; the address of the next one begins where this one ends."""


@never_cache
@require_safe
@access.signed_in
def timeline_page(request: HttpRequest, call_id: str) -> HttpResponse:
    """Every fact in order, what was expected and not seen among them; the address holds the filters and the zoom."""
    call = access.call(request, call_id)
    record = masked(gather(call, at=now(), pulse=False), numbers=True)
    wanted = _wanted(request)
    since = timeline.began(record)
    every, is_all = timeline.every_row(record), True
    if wanted.frames:
        every, is_all = _with_frames(call, record, every, wanted)
    found = timeline.chosen(every, wanted, since)
    context = {
        "call": call,
        "rows": timeline_rows(found[:MOST], call.pk),
        "left": max(0, len(found) - MOST),
        "next": _address(wanted, start_s=_after(found[MOST], since)) if len(found) > MOST else "",
        "total": len(every),
        "first": first_wrong(first(record)),
        "clocks": [skew.sentence for skew in skews(record) if skew.messages],
        "filters": _filters(every, wanted),
        "zoom": _zoom(record, every, wanted),
        "wanted": wanted,
        "cut": "" if is_all else MOST_FRAMES,
    }
    return render(request, "dashboard/timeline.html", context)


@never_cache
@require_safe
@access.signed_in
def fact(request: HttpRequest, call_id: str, seq: int) -> HttpResponse:
    """One fact as it was received or done, with its headers: a piece for the timeline, or a page by itself."""
    call = access.call(request, call_id)
    event = Event.objects.filter(call=call, seq=seq).first()
    if event is None:
        raise Http404("The call has no such fact.")
    body = Mask(secrets_of(call, call.transfers.all()), numbers=False).value(event.body)
    row = Happening(seq=event.seq, at=event.at, lane=event.lane, kind=event.kind, body=body)
    context = {
        "call": call,
        "event": event,
        "words": wording.sentence(event.kind, body),
        "dated": provider_moment(row),
        "headers": sorted((body.pop("headers", None) or {}).items()),
        "body": body,
    }
    template = "dashboard/_fact.html" if access.is_htmx(request) else "dashboard/fact.html"
    return render(request, template, context)


def _with_frames(call: Call, record: CallRecord, every: list[Row], wanted: Wanted) -> tuple[list[Row], bool]:
    """The rows with the events of the sideband among them, and whether these are all in the stretch asked for."""
    since = timeline.began(record)
    start = timeline.seconds(since, wanted.start_s or 0.0)
    end = record.made_at if wanted.end_s is None else timeline.seconds(since, wanted.end_s)
    runs, is_all = frames.runs(frames.typed(call, start, end), most=MOST_FRAMES)
    return timeline.in_order([*every, *timeline.frame_rows(runs)]), is_all


def _wanted(request: HttpRequest) -> Wanted:
    """What the address asks for; what cannot be read is not asked for."""
    return Wanted(
        lanes=frozenset(request.GET.getlist("lane")),
        kinds=frozenset(filter(None, request.GET.getlist("kind"))),
        start_s=number(request.GET.get("from")),
        end_s=number(request.GET.get("until")),
        frames=request.GET.get("frames") == "1",
    )


def number(text: str | None) -> float | None:
    """The seconds an address names; None when it names none that can be."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value < 1e7 else None


def _address(wanted: Wanted, *, start_s: float | None = None, end_s: float | None = None) -> str:
    """The same filters over another stretch of time."""
    pairs = [("lane", lane) for lane in sorted(wanted.lanes)] + [("kind", kind) for kind in sorted(wanted.kinds)]
    pairs += [("frames", "1")] if wanted.frames else []
    pairs += [("from", f"{start_s:.3f}")] if start_s is not None else []
    pairs += [("until", f"{end_s:.3f}")] if end_s is not None else []
    return f"?{urlencode(pairs)}"


def _filters(every: list[Row], wanted: Wanted) -> dict[str, Any]:
    return {
        "lanes": [(*lane, lane[0] in wanted.lanes) for lane in timeline.lanes_of(every)],
        "kinds": [(*kind, kind[0] in wanted.kinds) for kind in timeline.kinds_of(every)],
    }


def _zoom(record: CallRecord, every: list[Row], wanted: Wanted) -> dict[str, Any]:
    """The strip over what is looked at, and the ways out of it."""
    since = timeline.began(record)
    whole_s = max(0.001, _after(every[-1], since)) if every else 0.001
    start_s = min(wanted.start_s or 0.0, whole_s)
    end_s = max(start_s + 0.001, min(whole_s if wanted.end_s is None else wanted.end_s, whole_s))
    lanes = timeline.lanes_of(every)
    drawn = strip(
        every,
        [lane for lane, _, _ in lanes],
        began=since,
        start_s=start_s,
        end_s=end_s,
        href=lambda first_s, last_s: _address(wanted, start_s=first_s, end_s=last_s),
    )
    wide = end_s - start_s
    is_part = wide < whole_s - 0.001
    return {
        "strip": mark_safe(drawn),  # noqa: S308 - figures, and addresses that were escaped
        "lanes": lanes,
        "start": timeline.seconds(since, start_s),
        "end": timeline.seconds(since, end_s),
        "whole": _address(wanted) if is_part else "",
        "wider": _address(wanted, start_s=max(0.0, start_s - wide), end_s=end_s + wide) if is_part else "",
        "before": _address(wanted, start_s=max(0.0, start_s - wide), end_s=start_s) if start_s > 0 else "",
        "after": _address(wanted, start_s=end_s, end_s=end_s + wide) if is_part and end_s < whole_s - 0.001 else "",
    }


def _after(row: Row, since: datetime) -> float:
    return (row.at - since).total_seconds()
