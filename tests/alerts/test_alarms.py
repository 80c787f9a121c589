"""The dead-man's switch: which silence is alarming, and which is only a quiet hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.alerts.alarms import Signs, Traffic, alarms, no_callback, no_engine, no_webhook
from callops.alerts.models import Sign
from tests.rows import at

NOW = at(3600)
MINUTE = timedelta(minutes=1)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def dials(*seconds_ago: float) -> Traffic:
    return Traffic(dials=tuple(ago(seconds=seconds) for seconds in seconds_ago))


@pytest.mark.parametrize(
    ("webhook_at", "traffic", "alarming"),
    [
        (None, dials(7, 20, 40), True),
        (ago(minutes=5), dials(7, 20, 40), True),
        (ago(seconds=30), dials(7, 20, 40), False),
        (ago(seconds=40), dials(7, 20, 40), False),
        (ago(seconds=1), dials(7, 20, 40), False),
        (None, dials(7, 20), False),
        (None, dials(), False),
        (ago(hours=9), dials(1799, 1900, 9000), True),
        (ago(hours=9), dials(1800, 1900, 9000), False),
    ],
)
def test_three_dials_in_a_row_without_a_webhook_are_alarming(
    webhook_at: datetime | None, traffic: Traffic, alarming: bool
) -> None:
    alarm = no_webhook(Signs(webhook_at=webhook_at, live=1), traffic, NOW)

    assert bool(alarm) is alarming
    assert alarm is None or (alarm.sign, alarm.since) == (Sign.OPENAI_WEBHOOK, webhook_at)


@pytest.mark.parametrize(
    ("callback_at", "owed_at", "alarming"),
    [
        (ago(minutes=6), ago(minutes=4), True),
        (None, ago(minutes=4), True),
        (ago(minutes=6), ago(seconds=29), False),
        (ago(minutes=6), ago(minutes=31), False),
        (ago(minutes=4), ago(minutes=2), False),
        (ago(minutes=6), None, False),
    ],
)
def test_a_session_that_began_or_ended_without_a_word_of_twilio_is_alarming(
    callback_at: datetime | None, owed_at: datetime | None, alarming: bool
) -> None:
    alarm = no_callback(Signs(callback_at=callback_at), Traffic(owed_at=owed_at), NOW)

    assert bool(alarm) is alarming
    assert alarm is None or (alarm.sign, alarm.since) == (Sign.TWILIO_REQUEST, callback_at)


@pytest.mark.parametrize(
    ("signs", "alarming"),
    [
        ({"live": 1}, True),
        ({"waiting": 1}, True),
        ({"live": 1, "engine_at": ago(seconds=11)}, True),
        ({"live": 1, "engines": 1}, False),
        ({}, False),
        ({"sidebands": 3}, False),
    ],
)
def test_calls_without_an_engine_are_alarming_and_an_idle_house_is_not(signs: dict[str, Any], alarming: bool) -> None:
    alarm = no_engine(Signs(**signs), NOW)

    assert bool(alarm) is alarming
    assert alarm is None or alarm.since == signs.get("engine_at")


moments = st.integers(0, 7200).map(lambda seconds: ago(seconds=seconds))


@given(webhook_at=st.none() | moments, callback_at=st.none() | moments, engines=st.integers(0, 3))
def test_without_traffic_nothing_is_expected(
    webhook_at: datetime | None, callback_at: datetime | None, engines: int
) -> None:
    signs = Signs(webhook_at=webhook_at, callback_at=callback_at, engines=engines)

    assert alarms(signs, Traffic(), NOW) == []


@given(dialled=st.lists(moments, max_size=5), owed_at=st.none() | moments, live=st.integers(0, 3))
def test_signs_seen_this_moment_quiet_every_alarm(dialled: list[datetime], owed_at: datetime | None, live: int) -> None:
    signs = Signs(webhook_at=NOW, callback_at=NOW, engines=1, live=live)
    traffic = Traffic(dials=tuple(sorted(dialled, reverse=True)), owed_at=owed_at)

    assert alarms(signs, traffic, NOW) == []
