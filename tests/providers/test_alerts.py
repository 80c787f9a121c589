"""Alerts of the Debugger webhook in typed form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from callops.providers.twilio.alerts import Alert, parse
from callops.providers.twilio.callbacks import Malformed
from tests.providers import contracts

LEG = "CA7b1f4c0e9d2a46e38c5b17a9f0d3e862"
TRUNK_LEG = "CA4d9b6e2f81c04a7ebf3506d9c1e8a723"


def alert(payload: Any, **form: str) -> Alert:
    return parse({"Sid": "NO1", "Payload": json.dumps(payload), **form})


@pytest.mark.parametrize(
    ("code", "leg", "level", "text", "about_a_refer"),
    [
        (13802, LEG, "error", "Dial: No referUrl attribute specified", True),
        (32218, TRUNK_LEG, "error", "SIP: Transfer not allowed", True),
        (32011, TRUNK_LEG, "warning", "Error communicating with your SIP communications infrastructure", False),
    ],
)
def test_every_alert_of_the_contract_is_read(code: int, leg: str, level: str, text: str, about_a_refer: bool) -> None:
    params = contracts.read(f"twilio/debugger-{code}.json")

    read = parse(params)

    assert (read.sid, read.code, read.text, read.level) == (params["Sid"], code, text, level)
    assert (read.resource_sid, read.is_about_a_refer) == (leg, about_a_refer)
    assert read.raised_at == datetime(2026, 11, 22, 14, 3, 53, 412_000, tzinfo=UTC)
    assert read.raw == params


def test_what_an_alert_lacks_is_unknown_and_no_reason_to_refuse_it() -> None:
    read = alert({"error_code": 10004, "resource_sid": "../x", "more_info": ["?"]}, Timestamp="yesterday")

    assert (read.code, read.text, read.level, read.resource_sid, read.raised_at) == (10004, "", "", None, None)


def test_the_text_may_stand_alone() -> None:
    assert alert({"error_code": "1", "more_info": "Something broke"}).text == "Something broke"


@pytest.mark.parametrize("payload", [None, 7, [], {}, {"error_code": None}, {"error_code": "E7"}, {"error_code": {}}])
def test_an_alert_without_a_code_is_malformed(payload: Any) -> None:
    with pytest.raises(Malformed):
        alert(payload)


@pytest.mark.parametrize("sid", ["", "NO 1", "NO/1"])
def test_an_alert_without_an_identity_is_malformed(sid: str) -> None:
    with pytest.raises(Malformed, match="Sid"):
        alert({"error_code": "32011"}, Sid=sid)
