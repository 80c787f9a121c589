"""Moments and lengths of time as pages write them: in UTC here, the reader's own time once the script has run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from callops.calls.models import Call
from callops.core.clock import now

FORMS: Final = {
    "clock": slice(11, 19),
    "minute": slice(11, 16),
    "exact": slice(11, 23),
    "day": slice(0, 16),
    "short": slice(5, 16),
}
"""Which part of a moment is shown (`local`)."""


def ms(value: int | None) -> str:
    """Milliseconds as seconds with one decimal: `9.1 s`; nothing when unknown."""
    return "" if value is None else f"{value / 1000:.1f} s"


def iso(at: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(at: datetime | None, form: str = "clock") -> SafeString | str:
    """A `<time>`: UTC here, the reader's own time once the script has run.

    Forms: clock, minute, exact (with milliseconds), day, short (a day without its year).
    """
    if at is None:
        return ""
    text = iso(at)
    plain = text.replace("T", " ")
    told = f'<time datetime="{text}" data-form="{form}" title="{plain[:19]} UTC">{plain[FORMS[form]]}</time>'
    return SafeString(told)


def after(at: datetime, start: datetime) -> SafeString:
    """How long after the start: `+4.9 s`, with the moment itself on hover."""
    return format_html('<span title="{} UTC">+{} s</span>', iso(at), f"{(at - start).total_seconds():.1f}")


def rough(seconds: float) -> str:
    """A length of time in the largest unit that fits: `12 s`, `4 min`, `3 h`, `2 days`."""
    whole = max(0, int(seconds))
    for unit, length, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172800)):
        if whole < most:
            return f"{whole // length} {unit}"
    return f"{whole // 86400} days"


def mmss(seconds: float) -> str:
    """Minutes and seconds, with hours only when there are any."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


def lasted(call: Call, *, live: bool) -> SafeString:
    """How long the call has lasted; it goes on counting in the browser while the call does.

    `live`: the browser alone fills in the number, so that the same state is the same text.
    """
    if not call.is_over:
        return going_on(call.started_at, live=live)
    text = mmss(((call.ended_at or now()) - call.started_at).total_seconds())
    return mark_safe(f'<span class="elapsed">{text}</span>')  # noqa: S308 - digits


def going_on(since: datetime, *, live: bool) -> SafeString:
    """How long something lasts that still goes on, as `lasted` counts it."""
    text = "" if live else mmss((now() - since).total_seconds())
    return mark_safe(f'<span class="elapsed" data-since="{iso(since)}">{text}</span>')  # noqa: S308 - digits


def distance(seconds: float) -> str:
    """How far apart two beginnings are: `8 s later`, `2 min 05 s earlier`."""
    whole = round(abs(seconds))
    text = f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
    return f"{text} {'later' if seconds >= 0 else 'earlier'}"
