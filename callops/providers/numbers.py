"""Telephone numbers inside what the two parties write: SIP headers, tel URIs, caller fields."""

import re
from urllib.parse import unquote

# Keypad spellings of ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE (contract Twilio 1.1).
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"})

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_DISPLAY_NAME = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*')
_BRACKETS = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"(sips?|tel):", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s().-]")


def e164(text: str) -> str | None:
    """The number in E.164, without visual separators; None for withheld spellings, words and local numbers."""
    digits = _SEPARATORS.sub("", text)
    return digits if _E164.fullmatch(digits) and digits not in WITHHELD else None


def address_in(value: str) -> str:
    """The bare URI of a SIP address: without display name, angle brackets and what stands behind them."""
    rest = _DISPLAY_NAME.sub("", value, count=1) if value.lstrip().startswith('"') else value
    inside = _BRACKETS.search(rest)
    return (inside[1] if inside else rest).strip()


def number_in(value: str | None) -> str | None:
    """The E.164 number of a SIP address, tel URI or plain field; None when it is withheld or has none.

    Takes an optional display name, angle brackets, `sip:`, `sips:` or `tel:`, port and parameters (contract OpenAI 2).
    """
    if not value or len(value) > 2048:
        return None
    address = address_in(value)
    scheme = _SCHEME.match(address)
    user = address[scheme.end() :] if scheme else address
    user = user.partition("@")[0].partition(";")[0].partition("?")[0]
    return e164(unquote(user))
