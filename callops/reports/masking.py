"""What leaves the house: no secret ever, and no telephone number unless somebody wished it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from callops.privacy import spoken
from callops.reports.record import CallRecord

REMOVED: Final = "[removed]"
SECRET_NAMES: Final = frozenset(
    {
        *("authorization", "proxy-authorization", "cookie", "set-cookie", "x-twilio-signature", "webhook-signature"),
        *("x-callops-sig", "token", "secret", "password", "api_key", "auth_token"),
    }
)
"""Names of fields and headers whose value is left out wherever they stand."""
KEPT_DIGITS: Final = 2
SPOKEN_DIGITS: Final = 7
"""From how many digits on something said may be a telephone number."""
_NUMBER = re.compile(r"(\+|%2B)(\d{6,15})(?!\d)|\b((?:tel|sips?):)(\d{6,15})(?!\d)", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Mask:
    """What is to be left out of one record. `numbers`: whether telephone numbers are."""

    secrets: Collection[str] = ()
    numbers: bool = True
    own: Collection[str] = ()
    """Digits of numbers that are known to be on this call, to be found without a plus too."""

    def text(self, words: str) -> str:
        """The text without secrets; of a number the last two digits stay, so that two can be told apart."""
        for secret in self.secrets:
            if secret in words:
                words = words.replace(secret, REMOVED)
        if not self.numbers:
            return words
        words = _NUMBER.sub(_veiled_match, words)
        for digits in self.own:
            words = re.sub(rf"(?<![0-9A-Za-z]){re.escape(digits)}(?!\d)", _veiled(digits), words)
        return words

    def value(self, value: Any) -> Any:
        """The JSON value, masked at any depth; a `{"name": …, "value": …}` pair counts as a field of that name."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def said(self, words: str) -> str:
        """Something said or written in a conversation: long runs of digits go too, spelled out or not."""
        words = self.text(words)
        if not self.numbers or not spoken.has_digits(words):
            return words
        for run in reversed(list(spoken.runs(words))):
            if len(run.digits) >= SPOKEN_DIGITS:
                words = words[: run.start] + _veiled(run.digits) + words[run.end :]
        return words

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        named = "value" in value and str(value.get("name", "")).lower() in SECRET_NAMES
        masked = {}
        for key, item in value.items():
            secret = str(key).lower() in SECRET_NAMES or (named and key == "value")
            masked[self.text(str(key))] = REMOVED if secret else self.value(item)
        return masked


def masked(record: CallRecord, *, numbers: bool) -> CallRecord:
    """The record as it may leave the house; with `numbers` telephone numbers stay readable."""
    own = {_digits(str(record.call.get(name) or "")) for name in ("from_number", "to_number")}
    own |= {_digits(move.uri) for move in record.moves if move.uri.startswith("tel:")}
    mask = Mask(record.secrets, not numbers, sorted(digits for digits in own if len(digits) >= 6))
    return replace(
        record,
        call=mask.value(record.call),
        settings=mask.value(record.settings),
        legs=[mask.value(leg) for leg in record.legs],
        happened=[row.with_body(_body(mask, row.kind, row.body)) for row in record.happened],
        said=[replace(turn, text=mask.said(turn.text)) for turn in record.said],
        moves=[
            replace(
                move,
                label=mask.text(move.label),
                uri=mask.text(move.uri),
                because=mask.text(move.because),
                evidence=[replace(one, detail=mask.value(one.detail)) for one in move.evidence],
            )
            for move in record.moves
        ],
        secrets=(),
    )


def _body(mask: Mask, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What was said stands in some facts too; and a single key may be a part of a number."""
    shown: dict[str, Any] = mask.value(body)
    if mask.numbers and kind == "openai.dtmf" and "key" in shown:
        shown["key"] = "x"
    for name in ("text", "words", "arguments", "summary"):
        if isinstance(shown.get(name), str):
            shown[name] = mask.said(shown[name])
    return shown


def _digits(text: str) -> str:
    return "".join(_DIGIT.findall(text))


def _veiled(digits: str) -> str:
    return "x" * (len(digits) - KEPT_DIGITS) + digits[-KEPT_DIGITS:]


def _veiled_match(found: re.Match[str]) -> str:
    return f"{found[1] or found[3]}{_veiled(found[2] or found[4])}"
