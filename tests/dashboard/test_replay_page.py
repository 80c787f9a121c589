"""The replay: a moment in the address, playing by the clock, without a script of ours."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from callops.calls.models import Call
from callops.dashboard import replay_page
from tests.reports.cases import silent_refer
from tests.rows import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return silent_refer()[0]


def tick(desk: Client, address: str, page: str) -> str:
    """The piece that the page asks for by itself."""
    (wanted,) = re.findall(r'<div id="replay"[^>]* hx-get="([^"]+)"', page)
    return desk.get(wanted.replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()


def moment_of(page: str) -> float:
    (moment,) = re.findall(r'<span class="note">([0-9.]+) s of', page)
    return float(moment)


def test_a_moment_shows_what_was_known_then_and_nothing_later(desk: Client, call: Call) -> None:
    address = f"/calls/{call.pk}/replay/"

    first = desk.get(address).content.decode()
    asked = desk.get(f"{address}?at=21").content.decode()
    last = desk.get(f"{address}?at=9999").content.decode()

    assert "No transfer had been asked for." in first and "hx-get" not in first.split('id="replay"')[1].split(">")[0]
    assert "answered 200 without a request id" in asked and "not seen by" not in asked
    assert "REFER at the carrier: not seen by 12:00:24" in last and "Play again" in last


@pytest.mark.parametrize("speed", [1, 4, 16])
def test_it_plays_by_the_clock_at_its_speed_and_stops_at_the_end(
    desk: Client, call: Call, monkeypatch: pytest.MonkeyPatch, speed: int
) -> None:
    address, clock = f"/calls/{call.pk}/replay/", [at(1000)]

    def later(seconds: float) -> datetime:
        clock[0] += timedelta(seconds=seconds)
        return clock[0]

    monkeypatch.setattr(replay_page, "now", lambda: clock[0])
    page = desk.get(f"{address}?at=2&speed={speed}&play=1").content.decode()
    assert moment_of(page) == 2.0
    for seconds in (0.5, 1.0):
        before = moment_of(page)
        later(seconds)
        page = tick(desk, address, page)
        assert moment_of(page) == pytest.approx(min(23.6, before + speed * seconds), abs=0.11)
    later(60)
    page = desk.get(f"{address}?at=2&speed={speed}&play=1&since={round(at(1000).timestamp() * 1000)}").content.decode()

    assert moment_of(page) == 23.6
    assert 'hx-trigger="load' not in page


@pytest.mark.parametrize(
    "strange", ["?at=nan", "?at=-4&speed=0", "?speed=99&play=1&since=x", "?play=1&since=99999999999999"]
)
def test_an_address_that_makes_no_sense_shows_a_moment_all_the_same(desk: Client, call: Call, strange: str) -> None:
    assert desk.get(f"/calls/{call.pk}/replay/{strange}").status_code == 200


def test_nobody_watches_it_without_signing_in(client: Client, call: Call) -> None:
    assert client.get(f"/calls/{call.pk}/replay/").status_code == 302
