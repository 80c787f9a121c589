from __future__ import annotations

import pytest

from callops.simulator.twilio.overrides import overrides_of
from callops.simulator.twilio.sip_uri import DialRefused, read_sip_uri
from callops.simulator.twilio.twiml import TwimlError, parse

BASE = "https://calls.example.com/twiml/inbound?line=1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 12100),
        ("<Response>", 12100),
        ("hello", 12100),
        ("<response/>", 12200),
        ("<Twiml/>", 12200),
        ("<Response><say>hi</say></Response>", 12200),
        ("<Response><Transfer/></Response>", 12200),
        ("<Response><Sip>sip:a@b</Sip></Response>", 12200),
        ("<Response>loose words</Response>", 12200),
        ('<Response><Dial Timeout="5"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Dial timeout="4"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Dial timeout="601"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Dial timeout="soon"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Dial answerOnBridge="yes"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Dial method="PUT"><Number>+15550111</Number></Dial></Response>', 12200),
        ('<Response><Hangup reason="bored"/></Response>', 12200),
        ("<Response><Pause>words</Pause></Response>", 12200),
    ],
)
def test_what_is_not_exactly_twiml_is_refused_with_the_carriers_code(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as refused:
        parse(text, BASE)

    assert refused.value.code == code


def test_relative_urls_are_resolved_against_the_document_and_keep_their_fragment() -> None:
    dial, redirect = parse(
        '<Response><Dial action="after?x=1#rc=2" referUrl="/refer"><Number url="../w">+15550111</Number></Dial>'
        "<Redirect>../next</Redirect></Response>",
        BASE,
    )

    assert dial.get("action") == "https://calls.example.com/twiml/after?x=1#rc=2"
    assert dial.get("referUrl") == "https://calls.example.com/refer"
    assert dial.children[0].get("url") == "https://calls.example.com/w"
    assert redirect.text == "https://calls.example.com/next"


def test_an_inline_document_with_a_relative_url_is_refused() -> None:
    with pytest.raises(TwimlError) as refused:
        parse('<Response><Dial action="/after"><Number>+15550111</Number></Dial></Response>', None)

    assert refused.value.code == 15004


def test_speech_markup_inside_say_is_spoken_text() -> None:
    (say,) = parse('<Response><Say>One <break time="1s"/>moment <emphasis>please</emphasis></Say></Response>', BASE)

    assert say.text == "One moment please"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("sips:proj_1@sip.api.openai.com", 13224),
        ("proj_1@sip.api.openai.com", 13224),
        ("sip:" + "a" * 255 + "@example.com", 13224),
        ("sip:desk@house.sip.twilio.com", 13255),
        ("sip:proj_1@sip.api.openai.com?Authorization=1", 13252),
        ("sip:proj_1@sip.api.openai.com?X-Bad%20Name=1", 13252),
        ("sip:proj_1@sip.api.openai.com?X-Long=" + "a" * 1024, 13253),
    ],
)
def test_a_sip_uri_the_carrier_does_not_dial_is_refused_with_its_code(uri: str, code: int) -> None:
    with pytest.raises(DialRefused) as refused:
        read_sip_uri(uri)

    assert refused.value.code == code


def test_the_headers_of_a_sip_uri_are_decoded_in_order_and_do_not_stay_in_it() -> None:
    uri = read_sip_uri("sip:proj_1@sip.api.openai.com;transport=tls;secure=true?x-ref=a%2Bb%3D&User-to-User=1%3Bx&X-E=")

    assert uri.uri == "sip:proj_1@sip.api.openai.com;transport=tls;secure=true"
    assert uri.secure and uri.is_openai
    assert uri.headers == (("x-ref", "a+b="), ("User-to-User", "1;x"), ("X-E", ""))


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", (5.0, 15.0, 15.0, 1, {"ct"})),
        ("#rc=2&rp=5xx,ct,rt&rt=4000", (5.0, 4.0, 15.0, 2, {"5xx", "ct", "rt"})),
        ("#ct=100&tt=200&rp=all", (0.1, 15.0, 0.2, 1, {"all"})),
        ("#rc=9&rp=sometimes&rt=99999&x=1", (5.0, 15.0, 15.0, 1, {"ct"})),
    ],
)
def test_the_fragment_overrides_limits_and_retries(fragment: str, expected: tuple[object, ...]) -> None:
    found = overrides_of(f"https://calls.example.com/x{fragment}")

    assert (found.connect_s, found.read_s, found.total_s, found.retries, found.retry_on) == expected
