"""TwiML, read back as XML."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from callops.providers.twilio import documents
from callops.providers.twilio.documents import AiDial, HumanDial

AI = AiDial(
    sip_uri="sip:proj_Example@sip.api.openai.com;transport=tls;secure=true",
    headers=(("X-Callops-Ref", "a1b2"), ("X-Callops-Sig", "a+/= &é")),
    action_url="/twiml/action?a=1&b=2",
    refer_url="/twiml/refer",
    status_url="/twiml/status",
)
HUMAN = HumanDial(target_uri="tel:+13125550177", action_url="/done", status_url="/status")


def shape(document: str) -> list[str]:
    return [element.tag for element in ET.fromstring(document).iter()]


def test_the_ai_is_dialled_with_everything_that_saves_the_caller() -> None:
    root = ET.fromstring(documents.dial_ai(AI))

    dial = root[0]
    assert [element.tag for element in root.iter()] == ["Response", "Dial", "Sip"]
    assert dial.attrib == {
        "action": "/twiml/action?a=1&b=2",
        "method": "POST",
        "referUrl": "/twiml/refer",
        "referMethod": "POST",
        "answerOnBridge": "true",
        "timeout": "8",
        "timeLimit": "3600",
    }
    assert dial[0].attrib == {
        "statusCallback": "/twiml/status",
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": "initiated ringing answered completed",
    }
    assert dial[0].text == f"{AI.sip_uri}?X-Callops-Ref=a1b2&X-Callops-Sig=a%2B%2F%3D%20%26%C3%A9"


def test_without_headers_the_uri_stands_alone() -> None:
    root = ET.fromstring(documents.dial_ai(replace(AI, headers=(), answer_on_bridge=False)))

    assert root[0][0].text == AI.sip_uri
    assert root[0].attrib["answerOnBridge"] == "false"


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"sip_uri": "sip:" + "p" * 100 + "@" + "h" * 150}, "255"),
        ({"headers": (("X-A", "v" * 1020),)}, "1024"),
        ({"headers": (("X-A", "é" * 200),)}, "1024"),
        ({"headers": (("From", "x"),)}, "X-"),
        ({"headers": (("X-A B", "x"),)}, "X-"),
        ({"headers": (("X-A=1&X-B", "x"),)}, "X-"),
        ({"headers": (("X-A", "1\r\nX-B: 2"),)}, "control"),
        ({"sip_uri": "sip:p@host?X-A=1"}, "not a SIP URI"),
        ({"sip_uri": "tel:+13125550177"}, "not a SIP URI"),
        ({"timeout_s": 4}, "timeout_s"),
        ({"timeout_s": 601}, "timeout_s"),
        ({"time_limit_s": 0}, "time_limit_s"),
    ],
)
def test_what_twilio_would_not_take_is_refused_by_its_limit(change: dict, limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        documents.dial_ai(replace(AI, **change))


def test_the_header_part_may_have_1023_characters() -> None:
    document = documents.dial_ai(replace(AI, headers=(("X-A", "v" * 1019),)))

    assert "v" * 1019 in document


def test_a_telephone_number_is_dialled_as_a_number() -> None:
    root = ET.fromstring(documents.dial_human(replace(HUMAN, caller_id="+13125550100"), say="One moment."))

    assert [element.tag for element in root.iter()] == ["Response", "Say", "Dial", "Number"]
    assert root[0].text == "One moment."
    assert root[1].attrib == {"action": "/done", "method": "POST", "timeout": "20", "callerId": "+13125550100"}
    assert root[1][0].text == "+13125550177"
    assert root[1][0].attrib["statusCallbackEvent"] == "initiated ringing answered completed"


def test_a_sip_desk_is_dialled_as_sip() -> None:
    root = ET.fromstring(documents.dial_human(replace(HUMAN, target_uri="sip:desk@example.com;transport=tls")))

    assert [element.tag for element in root.iter()] == ["Response", "Dial", "Sip"]
    assert root[0][0].text == "sip:desk@example.com;transport=tls"
    assert "callerId" not in root[0].attrib


@pytest.mark.parametrize(
    "target",
    ["", "13125550177", "tel:911", "tel:+1312555x", "tel:+13125550177</Number><Hangup/>", "sip:a@b?X-Evil=1",
     "sip:a b@c", "sips:desk@example.com", "client:ann", "sip:desk", "tel:+13125550177\n"],
)  # fmt: skip
def test_a_target_that_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="target"):
        documents.dial_human(replace(HUMAN, target_uri=target))


def test_a_caller_id_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="caller id"):
        documents.dial_human(replace(HUMAN, caller_id="+1 312"))


def test_words_are_escaped_and_freed_from_what_xml_cannot_hold() -> None:
    root = ET.fromstring(documents.hang_up('</Say><Dial>"&\x00\x1b\ud800 Zoë ☎'))

    assert [element.tag for element in root.iter()] == ["Response", "Say", "Hangup"]
    assert root[0].text == '</Say><Dial>"& Zoë ☎'


def test_every_other_document_has_its_way_out() -> None:
    assert shape(documents.hang_up()) == ["Response", "Hangup"]
    assert shape(documents.hang_up("Goodbye.", language="de-DE")) == ["Response", "Say", "Hangup"]
    assert shape(documents.apology("Nobody is free.")) == ["Response", "Pause", "Say", "Hangup"]
    assert shape(documents.empty()) == ["Response"]


def test_a_bridge_waits_and_then_fetches_the_transfer_document() -> None:
    root = ET.fromstring(documents.bridge_then_redirect("/twiml/transfer?t=1&k=2"))

    assert [(element.tag, element.text, element.attrib) for element in root] == [
        ("Pause", None, {"length": "3"}),
        ("Redirect", "/twiml/transfer?t=1&k=2", {"method": "POST"}),
    ]
