"""Where a caller may be sent that is not in the directory: an address that cannot cost a fortune. Pure.

Toll fraud sends calls to numbers that pay whoever owns them. So a typed number must be a real one, in a country that is
allowed, and of no kind that charges more than a call does; a SIP address must be at a domain that is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType as Type

_TEL: Final = re.compile(r"tel:(\+[1-9][0-9]{4,14})")
_SIP: Final = re.compile(r"sip:[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)")
_TYPED: Final = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")
_CHEAP: Final = frozenset({Type.FIXED_LINE, Type.MOBILE, Type.FIXED_LINE_OR_MOBILE, Type.VOIP, Type.TOLL_FREE})
_DEAR: Final = {
    Type.PREMIUM_RATE: "a premium-rate number",
    Type.SHARED_COST: "a shared-cost number",
    Type.PAGER: "a pager",
    Type.PERSONAL_NUMBER: "a personal number that is charged apart",
    Type.UAN: "a company number that may be charged apart",
    Type.VOICEMAIL: "a mailbox",
}


class TollRefused(ValueError):
    """The address may not be dialled; the message says why and what may be."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be typed: countries as ISO 3166 codes, SIP domains in lower case; both empty: nothing."""

    countries: Collection[str] = ()
    sip_domains: Collection[str] = ()

    @property
    def anything(self) -> bool:
        """Whether typed addresses are taken at all."""
        return bool(self.countries or self.sip_domains)


def as_uri(typed: str) -> str:
    """What a person typed as an address: `tel:` before a number in E.164, with or without visual separators."""
    text = typed.strip()
    return f"tel:{re.sub(r'[^0-9+]', '', text)}" if _TYPED.fullmatch(text) else text


def check(uri: str, allowed: Allowed) -> None:
    """Nothing when the address may be dialled. Raises `TollRefused`."""
    if not allowed.anything:
        raise TollRefused(f"{uri:.80} is not in the directory; choose one of its destinations.")
    if number := _TEL.fullmatch(uri):
        _check_number(number[1], allowed.countries)
    elif address := _SIP.fullmatch(uri):
        _check_domain(address[1].lower(), allowed.sip_domains)
    else:
        raise TollRefused(
            f"{uri:.80} is neither in the directory nor an address that can be dialled: type +, the country code and "
            "the number."
        )


def _check_number(number: str, countries: Collection[str]) -> None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise TollRefused(f"{number} has no country code that exists.") from None
    kind = phonenumbers.number_type(parsed)
    if kind in _DEAR:
        raise TollRefused(f"{number} is {_DEAR[kind]}, to which nobody is sent. Choose a destination of the directory.")
    if not phonenumbers.is_valid_number(parsed):
        raise TollRefused(f"{number} is no number that exists. Look at its digits again.")
    country = phonenumbers.region_code_for_number(parsed)
    if country not in countries:
        where = f"in {country}" if country and country != "001" else "in no country"
        raise TollRefused(
            f"{number} is {where}; typed numbers may be in {', '.join(sorted(countries)) or 'no country'}."
        )
    if kind not in _CHEAP:
        raise TollRefused(f"{number} is of a kind nobody knows the price of. Choose a destination of the directory.")


def _check_domain(domain: str, domains: Collection[str]) -> None:
    if not any(domain == each or domain.endswith(f".{each}") for each in domains):
        raise TollRefused(
            f"{domain} is not among the SIP domains that may be typed: {', '.join(sorted(domains)) or 'none'}."
        )
