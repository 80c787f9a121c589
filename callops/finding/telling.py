"""A term of a search as people say it, for the chip that takes it away again. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from callops.finding.fields import Takes
from callops.finding.language import Is, Term


def sentence(term: Term) -> str:
    """`moved by SIP REFER`, `not: “refund” was said`, `waited for a human longer than 10 s`."""
    return f"not: {_plain(term)}" if term.is_turned else _plain(term)


def _plain(term: Term) -> str:
    if term.kind is Is.NUMBER:
        return f"a number with {term.value}"
    if term.kind is Is.WORDS:
        return f"“{term.value}”"
    says = term.field.says
    if term.field.takes is Takes.WORD:
        return f"{says} {term.field.words[str(term.value)]}".strip()
    if term.field.takes is Takes.DURATION:
        return f"{says} {'longer than' if term.op == '>' else 'less than'} {_duration(float(str(term.value)))}"
    if isinstance(term.value, datetime):
        return f"{says} {term.value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{says} {term.value}"


def _duration(seconds: float) -> str:
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            parts.append(f"{int(seconds // size)} {unit}")
            seconds %= size
    if seconds or not parts:
        parts.append(f"{seconds:g} s")
    return " ".join(parts)
