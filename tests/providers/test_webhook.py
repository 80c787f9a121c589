"""Signatures and bodies of OpenAI's webhooks."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callops.providers.openai.webhook import BadSignature, Malformed, StaleTimestamp, parse, verify
from tests.providers import contracts

VECTOR = contracts.read("openai/webhook-signature-vector.json")
BODY = VECTOR["body"].encode()
SENT_AT = datetime.fromtimestamp(int(VECTOR["headers"]["webhook-timestamp"]), UTC)


def check(*secrets: str, body: bytes = BODY, now: datetime = SENT_AT, **headers: str | None) -> None:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {k: v for k, v in (VECTOR["headers"] | changed).items() if v is not None}
    verify(secrets or [VECTOR["secret"]], headers=given, body=body, now=now)


@pytest.mark.parametrize("case", VECTOR["cases"], ids=lambda case: case["name"])
def test_every_signature_case_of_the_contract(case: dict[str, Any]) -> None:
    body = BODY + case.get("body_suffix", "").encode()

    if case["ok"]:
        check(body=body, webhook_signature=case["webhook-signature"])
    else:
        with pytest.raises(BadSignature):
            check(body=body, webhook_signature=case["webhook-signature"])


@pytest.mark.parametrize("case", VECTOR["time_cases"], ids=lambda case: case["name"])
def test_every_clock_case_of_the_contract(case: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(case["now"], UTC)

    if case["ok"]:
        check(now=now)
    else:
        with pytest.raises(StaleTimestamp):
            check(now=now)


def test_exactly_300_seconds_pass_on_both_edges() -> None:
    check(now=SENT_AT - timedelta(seconds=300))
    check(now=SENT_AT + timedelta(seconds=300))


def test_either_secret_counts_while_one_is_rotated() -> None:
    check(VECTOR["rotated_secret"], VECTOR["secret"])
    check(VECTOR["secret"], VECTOR["rotated_secret"])


def test_a_secret_without_prefix_is_used_as_raw_bytes() -> None:
    headers = VECTOR["headers"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + BODY
    digest = base64.b64encode(hmac.new(b"plain text key", content, hashlib.sha256).digest()).decode()

    check("plain text key", webhook_signature=f"v1,{digest}")


def test_the_names_of_headers_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in VECTOR["headers"].items()}

    verify([VECTOR["secret"]], headers=headers, body=BODY, now=SENT_AT)


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["whsec_a"], [" "], [VECTOR["rotated_secret"]]])
def test_without_the_right_secret_nothing_passes(secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        verify(secrets, headers=VECTOR["headers"], body=BODY, now=SENT_AT)


def test_an_unusable_secret_does_not_hide_a_good_one() -> None:
    check("", "whsec_a", VECTOR["secret"])


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_every_signature_header_is_needed(name: str, value: str | None) -> None:
    with pytest.raises(BadSignature):
        check(**{name.replace("-", "_"): value})


@pytest.mark.parametrize("stamp", ["soon", "1795192924.0", "-1", " 1795192924", "9" * 40, "١٧٩٥", "1795192925"])
def test_a_timestamp_that_is_not_the_signed_integer_is_refused(stamp: str) -> None:
    with pytest.raises(BadSignature):
        check(webhook_timestamp=stamp)


@pytest.mark.parametrize("signature", ["v1,", "v1,,", "é", "v1,é", ",", "v1a," + "A" * 44])
def test_a_mangled_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        check(webhook_signature=signature)


def test_a_body_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSignature):
        check(body=b"\xff\xfe")


def test_an_incoming_call_is_read_whole() -> None:
    event = parse(contracts.raw("openai/webhook-realtime.call.incoming.json"))

    assert event.type == "realtime.call.incoming"
    assert event.runtime == "realtime"
    assert event.call_id == "rtc_u1_EmLyXSbXOIkDj8Q6xzR8t"
    assert event.created_at == 1795192924
    assert event.media_security == "srtp"
    assert [header.name for header in event.sip_headers][-2:] == ["X-Parent-CallSid", "X-Dialed-Number"]
    assert event.raw["object"] == "event"


def test_the_newer_runtime_is_told_apart() -> None:
    event = parse(contracts.raw("openai/webhook-live.transport.incoming.json"))

    assert event.runtime == "live"
    assert event.call_id == "live_u1_EmLyXSbXOIkDj8Q6xzR8t"


@pytest.mark.parametrize("data", [None, [], {}, {"call_id": 5}, {"sip_headers": "x"}])
def test_unknown_types_are_read_with_whatever_they_hold(data: Any) -> None:
    event = parse(json.dumps({"id": "evt_1", "type": "batch.completed", "data": data, "more": 1}).encode())

    assert event.runtime is None
    assert event.call_id is None
    assert event.sip_headers == ()


def test_header_lines_of_another_shape_are_left_out() -> None:
    lines = [
        {"name": "X-A", "value": "1"},
        {"name": "X-B"},
        "X-C: 1",
        {"name": 1, "value": "x"},
        {"name": "X-A", "value": ""},
    ]
    body = {"id": "e", "type": "realtime.call.incoming", "data": {"call_id": "rtc_1", "sip_headers": lines}}

    event = parse(json.dumps(body).encode())

    assert [(header.name, header.value) for header in event.sip_headers] == [("X-A", "1"), ("X-A", "")]
    assert event.created_at is None
    assert event.media_security is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff", b'{"id":"e"}', b'{"type":"x"}', b'{"id":5,"type":"x"}', b"[" * 100_000,
        b'{"id":"e","type":"realtime.call.incoming"}',
        b'{"id":"e","type":"realtime.call.incoming","data":{"call_id":"../x"}}',
        b'{"id":"e","type":"live.transport.incoming","data":{"call_id":"rtc_1"}}',
    ],
)  # fmt: skip
def test_what_cannot_be_an_event_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)
