"""Tags of the incidents page: addresses of the calls behind a number, and bars."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.shortcuts import resolve_url
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from callops.alerts.models import Incident
from callops.core.clock import now
from callops.dashboard import history, phrases
from callops.dashboard.forms import ANY_FAILURE
from callops.dashboard.moments import rough
from callops.dashboard.outages import Outage, StageLine
from callops.dashboard.templatetags.desk import chip

register = template.Library()

BAR, GAP, HEIGHT = 6, 1, 24


@register.simple_tag
def calls_of(
    outage: Outage,
    line: StageLine | None = None,
    fate: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> str:
    """The address of the history that lists just the calls that were counted; of every stage when there is no line."""
    wanted = {
        "stage": line.stage if line else ANY_FAILURE,
        "fate": fate,
        "since": since or outage.since,
        "until": until,
    }
    return resolve_url("dashboard:history") + history.address({name: value for name, value in wanted.items() if value})


@register.simple_tag
def bars(outage: Outage, line: StageLine) -> SafeString:
    """The counts over time as bars, oldest first, all stages on the same scale; the table below says the same."""
    width = len(line.bars) * (BAR + GAP)
    drawn = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        (
            (tone, place * (BAR + GAP), HEIGHT - high, BAR, high, f"{step:%m-%d %H:%M} UTC", count)
            for place, (step, count) in enumerate(zip(outage.steps, line.bars, strict=True))
            for tone, high in [("bar" if count else "bar none", _height(count, outage.most))]
        ),
    )
    words = f"{line.count} in all, at most {max(line.bars)} at a time"
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        width, HEIGHT, width, HEIGHT, words, drawn,
    )  # fmt: skip


@register.filter
def work_chip(incident: Incident) -> SafeString:
    """Whether somebody has seen to the incident: word, shape and colour."""
    return chip(phrases.work_chip(incident))


@register.filter
def age(incident: Incident) -> str:
    """How long it is open, `open for 3 h`, or was: `was open 12 min`."""
    if incident.closed_at is None:
        return f"open for {rough((now() - incident.opened_at).total_seconds())}"
    return f"was open {rough((incident.closed_at - incident.opened_at).total_seconds())}"


def _height(count: int, most: int) -> int:
    """At least 3 for anything that happened, 1 for nothing."""
    return max(3, round(HEIGHT * count / most)) if count else 1
