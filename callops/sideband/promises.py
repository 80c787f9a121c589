"""Said versus done: sentences in which an assistant says that it is connecting the caller to somebody. Pure.

A small table on purpose: what an assistant offers, asks or makes depend on something is no promise, and neither is a
sentence nobody thought of. It only draws attention; nothing is ever done because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callops.sideband.signs import Signs

PATIENCE = timedelta(seconds=5)
"""How long after the words a transfer may be asked for."""
LAST_TURNS = 2
"""A promise counts while it is among the assistant's last words."""

WE = r"(?:i'm|i am|i'll|i will|i'm going to|let me|we're|we are|we'll|we will)"
SOON = r"(?:(?:now|just|gladly|happily|going to|go ahead and|about to|quickly|then|straight)\s+)*"
YOU = r"(?:you|your call|this call|the call)"
LES = r"(?<!\bno )\b(?:le|lo|la|te|les)"
PHRASES: tuple[str, ...] = (
    # English
    rf"\b{WE}\s+{SOON}(?:transfer|connect|forward)(?:r?ing)?\s+{YOU}\b",
    rf"\b{WE}\s+{SOON}(?:put|patch|pass|hand)(?:t?ing)?\s+{YOU}\s+(?:\w+\s+)?(?:through|over|on to|in touch)\b",
    r"^(?:transferring|connecting|forwarding)\s+you\b",
    r"\byou(?:'re| are)\s+(?:now\s+)?being\s+(?:transferred|connected|forwarded|put through)\b",
    r"\byou(?:'ll| will)\s+(?:now\s+)?be\s+(?:transferred|connected|forwarded|put through)\b",
    r"\bi(?:'ve| have)\s+(?:now\s+|just\s+)?(?:transferred|connected|forwarded)\s+you\b",
    # German
    r"\b(?:ich verbinde|verbinde ich|wir verbinden|verbinden wir)\s+sie\b(?!.*\bnicht\b)",
    r"\b(?:ich stelle|stelle ich|wir stellen)\s+sie\b(?!.*\bnicht\b).*\bdurch\b",
    r"\b(?:ich leite|leite ich|ich gebe|gebe ich)\s+(?:sie|ihren anruf)\b(?!.*\bnicht\b).*\bweiter\b",
    r"\bich übergebe sie\b(?!.*\bnicht\b)",
    r"\bich werde sie\b(?!.*\bnicht\b).*\b(?:verbinden|weiterleiten|durchstellen)\b",
    r"\bsie werden\b(?!.*\bnicht\b).*\b(?:verbunden|weitergeleitet|durchgestellt)\b",
    # Spanish; "paso", "comunico" and the like alone may be about anything
    rf"{LES}\s+(?:paso|comunico|pongo|conecto)\s+(?:ahora\s+|ya\s+|enseguida\s+)?(?:mismo\s+)?con\b",
    rf"{LES}\s+(?:paso|transfiero|derivo)\s+(?:(?:ahora|ya|enseguida)\s+)?(?:mismo\s+)?(?:al?)\b",
    rf"{LES}\s+transfiero(?:\s+(?:ahora|ya|enseguida)\b.*)?$",
    r"(?<!\bno )\bvoy a\s+(?:pasar|transferir|comunicar|poner|conectar)(?:le|lo|la|te|les)\b",
    rf"{LES}\s+voy a\s+(?:pasar|transferir|comunicar|poner|conectar)\b",
    rf"{LES}\s+estoy\s+(?:pasando|transfiriendo|comunicando|conectando)\b",
    r"(?<!\bno )\bestoy\s+(?:pasándo|transfiriéndo|comunicándo|conectándo)(?:le|lo|la|te|les)\b",
)
"""Each matches within one clause, in lower case."""
DEPENDS: tuple[str, ...] = (
    r"\bif (?:you|that|it)\b",
    r"\b(?:once|after|before|as soon as|unless|until|when)\s+(?:you|i|we|your)\b",
    r"\b(?:wenn|falls|sobald|bevor|nachdem|sofern)\b",
    r"\b(?:si (?:usted |lo )?(?:quiere|desea|gusta|prefiere)|cuando|antes de|después de|en cuanto|hasta que)\b",
)
"""What makes a sentence an offer or a condition."""

STEMS = "transf|connect|forward|put|patch|pas|hand|verb|stell|leit|gebe|comuni|pon|conect|deriv"
"""One of these is in every phrase: the quick look, because most sentences have none."""

_stems = re.compile(STEMS)
_phrases = [re.compile(phrase) for phrase in PHRASES]
_depends = [re.compile(phrase) for phrase in DEPENDS]
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")
_CLAUSES = re.compile(r"[,;:–—]\s*")


@dataclass(frozen=True, slots=True)
class Said:
    """A finished turn of the assistant."""

    item_id: str
    text: str
    began_at: datetime
    ended_at: datetime


def promise_in(text: str) -> str | None:
    """The sentence in which the assistant says that it is transferring the caller; None when it says no such thing."""
    for sentence in _SENTENCES.split(text.strip()):
        if _is_promise(sentence.lower().replace("’", "'")):
            return sentence
    return None


def named_in(sentence: str, choices: Iterable[tuple[str, str]]) -> str | None:
    """The destination, of (name, label), that the sentence names; the longest one when several fit."""
    spoken = sentence.casefold()
    fitting = [
        (len(word), name) for name, label in choices for word in _words_for(name, label) if word and word in spoken
    ]
    return max(fitting)[1] if fitting else None


class Promises:
    """The assistant's last words on one session, and the promise in them, if any."""

    def __init__(self) -> None:
        self._made: Said | None = None
        self._said_since = 0
        self._heard_at: dict[str, datetime] = {}

    def take(self, said: Said) -> None:
        """One more finished turn: a newer promise takes an older one's place, and enough other words do too."""
        self._said_since += 1
        if promise_in(said.text):
            self._made, self._said_since = said, 0
        elif self._said_since >= LAST_TURNS:
            self._made = None

    def on(self, signs: Signs) -> Signs:
        """The signs with the promise that stands; it counts from the moment the caller has heard it to its end."""
        made = self._made
        if made is None:
            return signs
        if made.item_id not in self._heard_at and not signs.assistant_speaking:
            ended_at = max(made.ended_at, signs.sound_ended_at or made.ended_at)
            self._heard_at = {made.item_id: ended_at}
        heard_at = self._heard_at.get(made.item_id)
        return replace(signs, promised_item=made.item_id, promised_from=made.began_at, promised_at=heard_at)


def _is_promise(sentence: str) -> bool:
    if not _stems.search(sentence) or sentence.endswith("?") or any(depends.search(sentence) for depends in _depends):
        return False
    clauses = [clause.strip(" .!…¡") for clause in _CLAUSES.split(sentence)]
    return any(phrase.search(clause) for clause in clauses for phrase in _phrases)


def _words_for(name: str, label: str) -> tuple[str, str, str]:
    return label.casefold(), name.casefold(), name.casefold().replace("_", " ").replace("-", " ")
