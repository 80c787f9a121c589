"""Carrier requests in typed form."""

from datetime import UTC, datetime

import pytest

from callops.providers.twilio.callbacks import Malformed, caller_number, parse, refer_target
from tests.providers import contracts

INDEX = contracts.read("twilio/index.json")["files"]
FLAT = [
    name
    for name, about in INDEX.items()
    if about["kind"] == "callback" and "CallSid" in contracts.read(f"twilio/{name}.json")
]
PARENT = "CA7b1f4c0e9d2a46e38c5b17a9f0d3e862"
AI_LEG = "CA2e8a95d1c7b04f6fa3d90e64b85c1f27"


@pytest.mark.parametrize("name", FLAT)
def test_every_callback_of_the_contract_is_read(name: str) -> None:
    params = contracts.read(f"twilio/{name}.json")

    callback = parse(params)

    assert callback.call_sid == params["CallSid"]
    assert callback.raw == params
    assert callback.parent_call_sid == params.get("ParentCallSid")
    assert callback.call_status == params.get("CallStatus")
    assert callback.from_ == params.get("From")


def test_the_end_of_a_dial_is_typed() -> None:
    callback = parse(contracts.read("twilio/dial-action-completed.json"))

    assert (callback.call_sid, callback.dial_call_sid) == (PARENT, AI_LEG)
    assert callback.dial_call_status == "completed"
    assert callback.dial_bridged is True
    assert callback.dial_sip_response_code == 200
    assert callback.dial_call_duration_s == 62
    assert callback.sequence_number is None


def test_the_failure_of_a_leg_is_typed() -> None:
    callback = parse(contracts.read("twilio/sip-status-completed-failed.json"))

    assert (callback.call_sid, callback.parent_call_sid) == (AI_LEG, PARENT)
    assert (callback.call_status, callback.direction) == ("failed", "outbound-dial")
    assert (callback.sequence_number, callback.sip_response_code, callback.call_duration_s) == (2, 503, 0)
    assert callback.timestamp == datetime(2026, 11, 22, 14, 3, 11, tzinfo=UTC)
    assert callback.dial_bridged is None


def test_what_cannot_be_read_is_unknown_and_kept_raw() -> None:
    params = {
        "CallSid": "CA1", "SequenceNumber": "-1", "Timestamp": "yesterday", "DialBridged": "perhaps", "From": "",
        "CallDuration": "1.5", "ErrorCode": "9" * 5000, "ParentCallSid": "../x", "New": "kept",
    }  # fmt: skip

    callback = parse(params)

    assert callback.raw == params
    unknown = (callback.sequence_number, callback.timestamp, callback.dial_bridged, callback.from_)
    assert unknown == (None, None, None, None)
    assert (callback.call_duration_s, callback.error_code, callback.parent_call_sid) == (None, None, None)


@pytest.mark.parametrize("params", [{}, {"CallSid": ""}, {"CallSid": "a/b"}, {"CallSid": "x" * 65}])
def test_a_request_without_a_usable_call_sid_is_malformed(params: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        parse(params)


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("tel:+14155550177", "tel:+14155550177"),
        ("<tel:+14155550177>", "tel:+14155550177"),
        ("sip:+14155550177@sip.example.com", "sip:+14155550177@sip.example.com"),
        ("<sip:desk@example.com;user=phone?X-A=b%20c&X-D=e>", "sip:desk@example.com;user=phone"),
        ('"Desk" <sip:desk@example.com>;x=1', "sip:desk@example.com"),
        ("", ""),
    ],
)
def test_the_target_of_a_refer_is_the_bare_uri(value: str, target: str) -> None:
    assert refer_target(value) == target


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("+14155550142", "+14155550142"),
        ("sip:+14155550142@example.com", "+14155550142"),
        ("anonymous", None),
        ("unknown", None),
        ("+266696687", None),
        ("+7378742833", None),
        ("+2562533", None),
        ("+8566696", None),
        ("+86282452253", None),
        ("client:ann", None),
        ("", None),
        (None, None),
    ],
)
def test_a_withheld_caller_has_no_number(value: str | None, number: str | None) -> None:
    assert caller_number(value) == number
