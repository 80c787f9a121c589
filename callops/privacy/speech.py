"""What one call's transcript shows of what was said: rules applied line by line, and across the lines of one reading.

People read a long number in groups, and each group may become a line of its own. As soon as the groups make a
forbidden number together, the lines that were shown before are shown anew. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from callops.privacy import spoken
from callops.privacy.rules import Redacted, Span, redact, replaced

GROUPS: Final = 24
"""How many lines back the groups of one number may lie."""
CHATTER_CHARS: Final = 24
"""What may be said in a line beside its digits, for it to count as a group."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript as it was said."""

    item_id: str
    speaker: str
    text: str
    final: bool


def reading(lines: Iterable[Line], rules: Collection[str], *, before: str = "") -> dict[str, Redacted]:
    """The lines of one speaker, in order, of which each is a group of digits: how each of them is shown when together
    they make something forbidden, else nothing.
    """
    groups = list(lines)
    joined = redact("\n".join(line.text for line in groups), rules, before=before)
    parts: dict[str, Redacted] = {}
    at = 0
    for line in groups:
        end = at + len(line.text)
        spans = tuple(
            Span(max(span.start, at) - at, min(span.end, end) - at, span.rule)
            for span in joined.spans
            if span.start < end and span.end > at
        )
        if spans:
            parts[line.item_id] = Redacted(replaced(line.text, spans), spans)
        at = end + 1
    return parts


def is_group(text: str) -> bool:
    """Whether the line is digits and next to nothing else."""
    if not spoken.has_digits(text):
        return False
    found = list(spoken.runs(text))
    rest = len(text) - sum(run.end - run.start for run in found)
    return bool(found) and rest <= CHATTER_CHARS


def without(value: Any, rules: Collection[str]) -> Any:
    """The same value with the rules applied to every text in it, and to whole numbers as long as a text."""
    if isinstance(value, str):
        return redact(value, rules).text
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        said = redact(str(value), rules)
        return said.text if said.spans else value
    if isinstance(value, dict):
        return {key: without(each, rules) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without(each, rules) for each in value]
    return value


def without_in_json(text: str | None, rules: Collection[str]) -> str | None:
    """The JSON text with the rules applied to what is in it; a text that is no JSON is taken as it is."""
    if not text or not redact(text, rules).spans:
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return redact(text, rules).text
    return msgspec.json.encode(without(value, rules)).decode()
