"""What must not stay readable in what was said, and the placeholders that stand there instead. Pure.

A rule replaces more than it must rather than less: a run of digits that holds a card number goes as a whole, with the
expiry date and the code that people say in one breath with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from stdnum import luhn
from stdnum.ch import ssn as swiss
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.us import ssn as american

from callops.calls.words import Redaction
from callops.privacy import spoken
from callops.privacy.spoken import Run

LONG_RUN: Final = 9
"""Digits from which a run is long."""
HELD_BACK: Final = 4
"""Digits at the end of an unfinished text from which they are not shown yet: they may become a card number."""
FEWEST: Final = 3
"""Digits that a rule may be about: a card's code has so many."""
CUE_CHARS: Final = 160
"""How far before a number the words that announce it may stand."""
ELLIPSIS: Final = "…"

_CARDS: Final = range(13, 20)
_ISSUERS: Final = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6")
_CARD_CUE: Final = re.compile(
    r"\b(?:card|visa|master\s?card|amex|american express|kreditkarte|karte|tarjeta|carte bancaire)\b", re.IGNORECASE
)
_CODE_CUE: Final = re.compile(
    r"\b(?:cvv|cvc|cv2|(?:security|card|verification) (?:code|number)|prüfziffer|three digits)\b", re.IGNORECASE
)
_ID_CUE: Final = re.compile(
    r"\b(?:social security|social insurance|ssn|national (?:id|insurance|identi\w+)|tax (?:id|number)|id number"
    r"|passport|sozialversicherung\w*|steuer\w*|ausweis\w*|personnummer|pesel|cpf|bsn|burgerservice\w*|aadhaar"
    r"|sécurité sociale|seguridad social|codice fiscale|dni|nie)\b",
    re.IGNORECASE,
)
_LETTERED: Final = re.compile(
    r"\b(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[XYZ]?[ -]?\d{7,8}[ -]?[A-Z]"
    r"|[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])\b",
    re.IGNORECASE,
)
_BRITISH: Final = re.compile(r"[A-Z]{2}\d{6}[A-D]", re.IGNORECASE)
_GROUPED: Final = re.compile(r"\b(?:\d{3}[- ]\d{2}[- ]\d{4}|756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}|[12]\d{14})\b")

_DOTS: Final = "dot|point|punkt|punto"
_DOT: Final = rf"\s(?:{_DOTS})\s"
_AT: Final = r"\s(?:at|ät|arroba|arobase|chiocciola)\s"
_MAILBOXES: Final = r"(?:gmail|googlemail|outlook|hotmail|yahoo|icloud|aol|gmx|web|proton(?:mail)?|live|me|msn|mail)"
_EMAIL: Final = re.compile(
    r"\b[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
    rf"|\b\w{{1,40}}(?:(?:{_DOT}|\s(?:underscore|dash|hyphen|minus)\s|[._-])\w{{1,40}}){{0,5}}"
    rf"{_AT}(?:\w{{1,40}}(?:{_DOT}\w{{1,20}}){{1,4}}|{_MAILBOXES}\.\w{{2,10}}(?:\.\w{{2}})?)\b",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"@|\w\.\w")
_SIGN: Final = re.compile(r"[@\d]")
_DOT_IN_A_WORD: Final = re.compile(r"\w\.\w")
_DOT_WORDS: Final = frozenset(_DOTS.split("|"))
_WORDS: Final = spoken.WORDS | _DOT_WORDS


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` falls under the rule; `rule` is empty for digits that are only held back."""

    start: int
    end: int
    rule: str

    @property
    def placeholder(self) -> str:
        """What stands there instead."""
        return f"[{Redaction(self.rule).label}]" if self.rule else ELLIPSIS


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what the rules forbid, and where what was replaced."""

    text: str
    spans: tuple[Span, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How often each rule replaced something."""
        return dict(Counter(span.rule for span in self.spans if span.rule))

    def moved(self, offset: int) -> int:
        """Where a position of the original lies in `text`; one inside something replaced lies after the placeholder."""
        shift = 0
        for span in self.spans:
            if offset <= span.start:
                break
            offset = max(offset, span.end)
            shift += len(span.placeholder) - (span.end - span.start)
        return offset + shift


def redact(text: str, rules: Collection[str], *, finished: bool = True, before: str = "") -> Redacted:
    """The text with a typed placeholder for everything the rules forbid.

    `before` is what was said just before, where the words that announce a number may stand. An unfinished text does
    not show digits at its end that may yet become something forbidden.
    """
    if not rules or not may_hold(text) or _holds_too_little(text):
        return Redacted(text)
    spans = _apart(sorted(_spans(text, rules, before), key=lambda span: (span.start, -span.end)))
    if not finished and (held := _held_back(text, spans)):
        spans.append(held)
    return Redacted(replaced(text, spans), tuple(spans))


def may_hold(text: str) -> bool:
    """Whether anything of a number or an address is in the text: the quick look before all others.

    Every run of digits has a digit or a word for one in it, every address an `@`, a word for a dot or a dot in a word.
    """
    if _SIGN.search(text) is not None or ("." in text and _DOT_IN_A_WORD.search(text) is not None):
        return True
    return not _WORDS.isdisjoint(spoken.words(text))


def _holds_too_little(text: str) -> bool:
    """Whether fewer digits are in the text than any rule wants, and no address: the second quick look."""
    if _ADDRESS.search(text) is not None or not _DOT_WORDS.isdisjoint(spoken.words(text)):
        return False
    return spoken.at_most(text) < FEWEST


def replaced(text: str, spans: Collection[Span]) -> str:
    """The text with each span's placeholder; spans are in order and do not overlap."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], span.placeholder]
        at = span.end
    return "".join([*parts, text[at:]])


def _spans(text: str, rules: Collection[str], before: str) -> Iterator[Span]:
    if Redaction.EMAIL in rules:
        yield from (Span(*found.span(), Redaction.EMAIL) for found in _EMAIL.finditer(text))
    if Redaction.NATIONAL_ID in rules:
        yield from _written_ids(text)
    for run in spoken.runs(text):
        said = (before + "\n" + text[: run.start])[-CUE_CHARS:]
        if rule := _rule_for(run, said, rules):
            yield Span(run.start, run.end, rule)


def _rule_for(run: Run, said: str, rules: Collection[str]) -> str | None:
    """The rule under which these digits fall, after what was said before them."""
    count = len(run.digits)
    if Redaction.CARD in rules and (has_card(run.digits) or (count in _CARDS and _CARD_CUE.search(said))):
        return Redaction.CARD
    if Redaction.CARD in rules and count in (3, 4) and _CODE_CUE.search(said[-60:]):
        return Redaction.CARD
    if Redaction.NATIONAL_ID in rules and 8 <= count <= 16 and _ID_CUE.search(said):
        return Redaction.NATIONAL_ID
    if Redaction.DIGITS in rules and count >= LONG_RUN:
        return Redaction.DIGITS
    return None


def has_card(digits: str) -> bool:
    """Whether a payment card's number stands in these digits: a length and beginning in use, and Luhn's check."""
    return any(
        _ISSUERS.match(digits, start) and luhn.is_valid(digits[start : start + length])
        for start in range(len(digits) - _CARDS.start + 1)
        for length in _CARDS
        if start + length <= len(digits)
    )


def _written_ids(text: str) -> Iterator[Span]:
    """Identity numbers that are known by their form and check."""
    for found in _LETTERED.finditer(text):
        plain = re.sub(r"[ -]", "", found.group())
        if _BRITISH.fullmatch(plain) or any(kind.is_valid(plain) for kind in (dni, nie, codicefiscale)):
            yield Span(*found.span(), Redaction.NATIONAL_ID)
    for found in _GROUPED.finditer(text):
        if any(kind.is_valid(found.group()) for kind in (american, swiss, nir)):
            yield Span(*found.span(), Redaction.NATIONAL_ID)


def _apart(spans: Collection[Span]) -> list[Span]:
    """Spans that overlap are one, under the rule of the first."""
    apart: list[Span] = []
    for span in spans:
        if apart and span.start < apart[-1].end:
            apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end), apart[-1].rule)
        else:
            apart.append(span)
    return apart


def _held_back(text: str, spans: Collection[Span]) -> Span | None:
    """The digits at the end of the text, when there are enough of them and no rule has taken them."""
    last = next(reversed(list(spoken.runs(text))), None)
    taken_to = max((span.end for span in spans), default=0)
    if last is None or last.start < taken_to or len(last.digits) < HELD_BACK or text[last.end :].strip(" ,.-"):
        return None
    return Span(last.start, len(text), "")
