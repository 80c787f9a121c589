"""Header names in any spelling, numbers in every form of address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.providers.openai.sip_headers import SipHeader, first, number_in

HEADERS = (
    SipHeader("Via", "one"),
    SipHeader("via", "two"),
    SipHeader("f", "<sip:+13125550142@example.com>"),
    SipHeader("x-callops-REF", "abc"),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", "one"), ("VIA", "one"), ("v", "one"), ("From", "<sip:+13125550142@example.com>"),
        ("F", "<sip:+13125550142@example.com>"), ("X-Callops-Ref", "abc"), ("To", None),
    ],
)  # fmt: skip
def test_a_header_is_found_in_any_case_and_in_its_compact_form(name: str, value: str | None) -> None:
    assert first(HEADERS, name) == value


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ('"+48123123123" <sip:+48123123123@pstn.twilio.com:5060>;tag=82568196_c3356d0b', "+48123123123"),
        ("sip:+14255550112@sip.example.com", "+14255550112"),
        ("<sip:+13125550142@192.0.2.24:5061;transport=tls>", "+13125550142"),
        ("sip:+13125550142;phone-context=x@example.com;user=phone", "+13125550142"),
        ("SIPS:+13125550142@example.com", "+13125550142"),
        ("<tel:+1-312-555-0142>", "+13125550142"),
        ("tel:+13125550142;ext=5", "+13125550142"),
        ('"a <b> \\" c" <sip:%2B13125550142@example.com>', "+13125550142"),
        ("Ann <sip:+13125550142@example.com>", "+13125550142"),
        ("+13125550142", "+13125550142"),
        ("+15550100", "+15550100"),
        ("sip:anonymous@anonymous.invalid", None),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', None),
        ("sip:+266696687@pstn.twilio.com", None),
        ("<sip:proj_ExampleExampleExample0001@sip.api.openai.com;transport=tls>", None),
        ("sip:13125550142@example.com", None),
        ("client:+13125550142", None),
        ("", None),
        (None, None),
        ("<>", None),
        ("+1" + "2" * 5000, None),
    ],
)
def test_the_number_of_an_address(value: str | None, number: str | None) -> None:
    assert number_in(value) == number


@given(st.text(alphabet='"<>\\@;:+0123456789 siptel%\n', max_size=60))
def test_any_text_gives_a_number_or_none(value: str) -> None:
    number = number_in(value)

    assert number is None or (number.startswith("+") and number[1:].isdigit())
