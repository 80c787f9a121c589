"""The record of a transfer in words: each try, its codes, how it ended, and what the caller heard meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from callops.dashboard.phrases import Chip
from callops.transfers.hearing import Span
from callops.transfers.tries import End, Method, Try

SHORTEST_MS = 100
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
METHODS = {
    Method.REFER: "REFER",
    Method.REDIRECT: "Redirect",
    Method.END_AI_LEG: "End of the AI's leg",
    Method.DIAL: "Call",
}
END_CHIPS = {
    End.WAITING: Chip("no answer yet", "half", "waiting"),
    End.ANSWERED: Chip("answered", "ring", "waiting"),
    End.REFUSED: Chip("refused", "cross", "failed"),
    End.LOST: Chip("answer lost", "dashed", "unproven"),
    End.RINGING: Chip("ringing", "half", "waiting"),
    End.TALKING: Chip("connected", "check", "proven"),
    End.TALKED: Chip("talked", "check", "proven"),
    End.BUSY: Chip("busy", "cross", "failed"),
    End.NO_ANSWER: Chip("no answer", "cross", "failed"),
    End.NOT_TAKEN: Chip("picked up, not taken", "cross", "failed"),
    End.CALLED_OFF: Chip("called off", "square", "waiting"),
    End.CALLER_LEFT: Chip("caller left", "square", "waiting"),
    End.FAILED: Chip("failed", "cross", "failed"),
    End.UNKNOWN: Chip("not known", "dashed", "unproven"),
}


def method_words(each: Try) -> str:
    """What was tried, and which time: `Redirect, second`."""
    words = METHODS[each.method]
    if each.number == 1:
        return words
    ordinal = ORDINALS[each.number - 1] if each.number <= len(ORDINALS) else f"number {each.number}"
    return f"{words}, {ordinal}"


def codes(each: Try) -> str:
    """The codes that came back: `HTTP 400, code 21220`; empty when none did."""
    parts = [("HTTP", each.http_status), ("code", each.error_code), ("SIP", each.sip_code)]
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


def lasted(each: Try) -> str:
    """How long a request took, or a phone rang."""
    if each.method != Method.DIAL:
        return "" if each.duration_ms is None else f"{each.duration_ms} ms"
    if each.ring_ms is not None:
        return f"rang {each.ring_ms / 1000:.1f} s"
    return "" if each.end == End.RINGING else "ring time not known"


def noticeable(spans: Iterable[Span]) -> list[Span]:
    """The spans a person would notice: those that go on, or lasted long enough for the clock of the page."""
    return [span for span in spans if span.duration_ms is None or span.duration_ms >= SHORTEST_MS]


def span_words(span: Span) -> str:
    """What was heard and for how long; without a length while it goes on."""
    return span.words if span.duration_ms is None else f"{span.words} {span.duration_ms / 1000:.1f} s"
