"""The redaction of a text that is still being said: the same as of the whole, without looking at all of it again. Pure.

A line of speech grows by a few words at a time and is shown each time. What ended long before its end and touches
nothing that follows is settled: a sentence after whose end no match of any rule can reach back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from callops.privacy.rules import Redacted, Span, may_hold, redact, replaced

REACH: Final = 40
"""A sentence's last characters: while none of them is of a number, no run of digits reaches over its end."""
WORD_CHARS: Final = 32
"""Longer than whatever `may_hold` looks for."""
OPEN_CHARS: Final = 120
"""What may be open before it is worth looking for a sentence's end."""

_SENTENCE_END: Final = re.compile(r"(?<=[^\W\d_]{2}[.!?…])\s")


class Growing:
    """One text under the rules; `before` as for `redact`."""

    def __init__(self, rules: Collection[str], *, before: str = "") -> None:
        self._rules = rules
        self._before = before
        self._last: tuple[str, bool, Redacted] | None = None
        self._settled = ""
        self._spans: tuple[Span, ...] = ()
        self._plain_to = 0
        """Up to here nothing after what is settled may hold anything."""

    def redact(self, text: str, *, finished: bool) -> Redacted:
        """As `redact` of the whole text; a text that does not begin as the one before is looked at anew."""
        if self._last is not None and self._last[:2] == (text, finished):
            return self._last[2]
        if self._last is None or not text.startswith(self._last[0]):
            self._settled, self._spans, self._plain_to = "", (), 0
        redacted = self._redact(text, finished=finished)
        self._last = (text, finished, redacted)
        return redacted

    def _redact(self, text: str, *, finished: bool) -> Redacted:
        start = len(self._settled)
        if not may_hold(text[max(start, self._plain_to - WORD_CHARS) :]):
            self._plain_to = len(text)
            return Redacted(replaced(text, self._spans), self._spans) if self._spans else Redacted(text)
        before = f"{self._before}\n{self._settled[:-1]}" if start else self._before
        found = redact(text[start:], self._rules, finished=finished, before=before).spans
        spans = (*self._spans, *(Span(span.start + start, span.end + start, span.rule) for span in found))
        if len(text) - start > OPEN_CHARS:
            self._settle(text, spans)
        return Redacted(replaced(text, spans), spans)

    def _settle(self, text: str, spans: tuple[Span, ...]) -> None:
        """The sentences that nothing can change any more are settled."""
        for end in reversed([found.end() for found in _SENTENCE_END.finditer(text, len(self._settled))]):
            if end < len(text) and not may_hold(text[max(0, end - REACH) : end]):
                self._settled = text[:end]
                self._spans = tuple(span for span in spans if span.end <= end)
                self._plain_to = end
                return
