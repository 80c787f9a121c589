"""Filters and tags of the pages: numbers, times, chips and sentences."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil, floor
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from callops.alerts.models import Incident
from callops.calls import numbers
from callops.calls.models import Call
from callops.calls.withheld import is_withheld
from callops.calls.words import Redaction
from callops.core.clock import now
from callops.dashboard import moments, phrases, proof, record, signs
from callops.dashboard.moments import going_on, iso, lasted, rough
from callops.dashboard.phrases import Chip
from callops.transfers import evidence
from callops.transfers.health import Interval
from callops.transfers.hearing import Span
from callops.transfers.models import Evidence, TransferAttempt
from callops.transfers.tries import Try

register = template.Library()
for written in (moments.ms, moments.iso, moments.local, moments.after, moments.distance):
    register.filter(written)


@register.filter
def phone(number: str) -> str:
    """The number with its country code, for titles and attributes: `+1 555 0123`; withheld ones say so."""
    return "withheld" if is_withheld(number) else numbers.international(number)


@register.filter
def tel(number: str, called: str = "") -> SafeString | str:
    """The number as people of the called country write it, with E.164 inside for whoever looks or copies.

    The element also tells the veil what to hide: digits without a plus are hidden nowhere else.
    """
    return _tel(number, called)


@lru_cache(maxsize=4096)
def _tel(number: str, called: str) -> SafeString | str:
    shown = numbers.national(number, called) if number and not is_withheld(number) else None
    if shown is None:
        return phone(number)
    return format_html(
        '<data class="tel" value="{}" title="{}">{}</data>', number, numbers.international(number), shown
    )


@register.filter
def target(uri: str) -> str:
    """Where a `tel:` or `sip:` address leads, as people read it."""
    return phone(uri.removeprefix("tel:")) if uri.startswith("tel:") else uri


@register.filter
def rule_label(rule: str) -> str:
    """What a rule of redaction replaces: `card number`."""
    return Redaction(rule).label if rule in Redaction.values else rule


@register.filter
def short(name: str) -> str:
    """The middle of a long id left out: `CA0123…cdef`."""
    return name if len(name) <= 16 else f"{name[:8]}…{name[-4:]}"


@register.simple_tag(takes_context=True)
def ago(context: dict[str, Any], at: datetime | None) -> SafeString | str:
    """How long ago in one unit: `12 s`; the browser goes on counting, and alone fills pieces for sockets."""
    if at is None:
        return "never"
    shown = "" if context.get("live") else rough((now() - at).total_seconds())
    full = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" data-ago data-local title="{}">{}</time>', iso(at), full, shown)


@register.simple_tag(takes_context=True)
def elapsed(context: dict[str, Any], call: Call) -> SafeString:
    """How long the call has lasted; it goes on counting in the browser while the call does.

    Pieces for sockets (`live` in the context) leave the number to the browser, so that the same state is the same text.
    """
    return lasted(call, live=bool(context.get("live")))


@register.simple_tag(takes_context=True)
def counting(context: dict[str, Any], since: datetime) -> SafeString:
    """How long something lasts that still goes on, as `elapsed` counts it."""
    return going_on(since, live=bool(context.get("live")))


@register.simple_tag
def house() -> signs.House:
    """Signs of life and open troubles, as every page shows them."""
    return signs.house(now())


@register.simple_tag
def moment() -> datetime:
    """When this was rendered."""
    return now()


@register.filter
def call_chip(call: Call) -> SafeString:
    """The call's state: word, shape and colour."""
    return chip(phrases.call_chip(call))


@register.filter
def half(call: Call) -> str:
    """Which half of the call is not known."""
    return phrases.half(call)


@register.filter
def mechanism_chip(mechanism: str) -> SafeString:
    """What did the work: word, shape and colour."""
    return chip(phrases.MECHANISM_CHIPS[mechanism])


@register.filter
def outcome_chip(outcome: str) -> SafeString:
    """What came of it: word, shape and colour."""
    return chip(phrases.OUTCOME_CHIPS[outcome])


@register.filter
def breaker_chip(position: str) -> SafeString:
    """Where a line's breaker stands: word, shape and colour."""
    return chip(phrases.BREAKER_CHIPS[position])


@register.filter
def percents(interval: Interval) -> str:
    """Where a share lies: `12–78 %`, the ends rounded outwards."""
    return f"{floor(100 * interval.low)}–{ceil(100 * interval.high)} %"


@register.filter
def incident_chip(incident: Incident) -> SafeString:
    """Whether the incident is open: word, shape and colour."""
    return chip(phrases.incident_chip(incident))


@register.filter
def fate_chip(fate: str) -> SafeString:
    """What became of the caller: word, shape and colour."""
    return chip(phrases.FATE_CHIPS[fate])


@register.filter
def trouble(incident: Incident) -> str:
    """What the incident is, in a supervisor's words."""
    return phrases.trouble(incident)


@lru_cache(maxsize=128)
def chip(of: Chip) -> SafeString:
    """The chip as the style sheet knows it."""
    shape = format_html('<span class="shape {}" aria-hidden="true"></span>', of.shape)
    return format_html('<span class="chip tone-{}">{}{}</span>', of.tone, shape, of.word)


@register.filter
def testimony(fact: Evidence) -> str:
    """What the witness said."""
    return proof.testimony(fact.kind, fact.detail)


@register.filter
def particulars(fact: Evidence) -> list[tuple[str, str]]:
    """The details beside the testimony."""
    return proof.particulars(fact.detail)


@register.filter
def tries(attempt: TransferAttempt) -> list[Try]:
    """Every try of a transfer, in order."""
    return evidence.tries_of(attempt)


@register.filter
def try_words(each: Try) -> str:
    """What was tried, and which time."""
    return record.method_words(each)


@register.filter
def try_chip(each: Try) -> SafeString:
    """How a try ended: word, shape and colour."""
    return chip(record.END_CHIPS[each.end])


@register.filter
def try_codes(each: Try) -> str:
    """The codes that came back."""
    return record.codes(each)


@register.filter
def try_lasted(each: Try) -> str:
    """How long it took, or rang."""
    return record.lasted(each)


@register.filter
def noticed(each: Try) -> list[Span]:
    """What the caller heard during a try, without what was too short to notice."""
    return record.noticeable(each.heard)


@register.filter
def heard(span: Span) -> str:
    """What the caller heard for a while."""
    return record.span_words(span)


@register.filter
def pretty(body: Any) -> str:
    """JSON as it came, indented."""
    return json.dumps(body, indent=2, ensure_ascii=False, default=str)
