"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callops.dashboard import moments
from callops.dashboard.templatetags import desk
from tests.dashboard.conftest import NOON


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15550123", "+1 555 0123"),
        ("+12025550123", "+1 202 555 0123"),
        ("", "withheld"),
        ("anonymous", "withheld"),
        ("+266696687", "withheld"),
        ("sip:nora@example.com", "sip:nora@example.com"),
    ],
)
def test_numbers_are_written_as_people_read_them(number: str, shown: str) -> None:
    assert desk.phone(number) == shown


@pytest.mark.parametrize(
    ("number", "called", "shown"),
    [
        ("+15550123", "+15550100", "555-0123"),
        ("+12025550123", "+15550100", "(202) 555-0123"),
        ("+442079460123", "+442079460100", "020 7946 0123"),
        ("+442079460123", "+15550100", None),
        ("+15550123", "", None),
        ("anonymous", "+15550100", None),
        ("+1555<b>", "+15550100", None),
        ("+١٥٥٥٠١٢٣", "+15550100", None),
    ],
)
def test_a_number_of_the_called_country_is_written_as_people_there_do(
    number: str, called: str, shown: str | None
) -> None:
    told = desk.tel(number, called)

    assert told == (
        f'<data class="tel" value="{number}" title="{desk.phone(number)}">{shown}</data>'
        if shown
        else desk.phone(number)
    )


@pytest.mark.parametrize(("seconds", "shown"), [(0, "00:00"), (65, "01:05"), (3725, "1:02:05"), (-3, "00:00")])
def test_calls_are_timed_in_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert moments.mmss(seconds) == shown


def test_times_carry_utc_for_the_hover_and_for_the_script() -> None:
    shown = str(moments.local(NOON + timedelta(milliseconds=7), "exact"))

    assert 'datetime="2026-11-22T12:00:00.007Z"' in shown
    assert 'title="2026-11-22 12:00:00 UTC"' in shown
    assert ">12:00:00.007<" in shown
