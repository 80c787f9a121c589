"""Which typed addresses may be dialled, and that nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.tolls import Allowed, TollRefused, as_uri, check

AT_HOME = Allowed(countries=("US", "CA"), sip_domains=("pbx.example.com",))


@pytest.mark.parametrize(
    "uri", ["tel:+12025550123", "tel:+18005550123", "sip:desk.2@pbx.example.com", "sip:a@eu.pbx.example.com"]
)
def test_an_ordinary_address_at_home_may_be_dialled(uri: str) -> None:
    check(uri, AT_HOME)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("tel:+19005550123", "premium-rate"),
        ("tel:+18095550123", "is in DO; typed numbers may be in CA, US"),
        ("tel:+442079460123", "is in GB"),
        ("tel:+491805123456", "shared-cost"),
        ("tel:+33899123456", "premium-rate"),
        ("tel:+15550123", "no number that exists"),
        ("tel:+88213012345", "no number that exists"),
        ("tel:+99912345678", "country code"),
        ("tel:+12025550123;ext=9", "neither"),
        ("tel:+12025550123?Replaces=x", "neither"),
        ("sip:a@pbx.example.com:5060", "neither"),
        ("sip:a@pbx.example.com;transport=tcp", "neither"),
        ("sip:a@evil.example", "not among the SIP domains"),
        ("sip:a@pbx.example.com.evil.example", "not among the SIP domains"),
        ("sip:a@xpbx.example.com", "not among the SIP domains"),
        ("sips:a@pbx.example.com", "neither"),
        ("javascript:alert(1)", "neither"),
        ("", "neither"),
    ],
)
def test_what_costs_or_smuggles_is_refused_with_the_reason(uri: str, why: str) -> None:
    with pytest.raises(TollRefused, match=why):
        check(uri, AT_HOME)


def test_nothing_may_be_typed_unless_the_settings_say_so() -> None:
    with pytest.raises(TollRefused, match="not in the directory"):
        check("tel:+12025550123", Allowed())
    with pytest.raises(TollRefused, match="may be in no country"):
        check("tel:+12025550123", Allowed(sip_domains=("pbx.example.com",)))


@pytest.mark.parametrize(
    ("typed", "uri"),
    [
        ("+1 (202) 555-0123", "tel:+12025550123"),
        ("  +1.202.555.0123 ", "tel:+12025550123"),
        ("sip:desk@pbx.example.com", "sip:desk@pbx.example.com"),
        ("Front desk", "Front desk"),
    ],
)
def test_a_number_is_understood_as_people_write_it(typed: str, uri: str) -> None:
    assert as_uri(typed) == uri


@given(st.text(max_size=120) | st.from_regex(r"(tel:\+|sip:)[ -~\r\n]{1,60}"))
def test_nothing_passes_that_could_begin_a_header_or_a_tag(typed: str) -> None:
    uri = as_uri(typed)
    try:
        check(uri, AT_HOME)
    except TollRefused:
        return

    assert uri.isascii()
    assert not set(uri) & set("\r\n\t \"'<>&?;%,\\")
