"""Silence is seen on board and page, without anything being said or done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from callops.calls.models import Call
from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard import board, call_page
from callops.sideband.models import AiSession
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import SEEING, MakeCall, make_turn
from tests.rows import make_session

DEAD = "Dead air"


def quiet(make_call: MakeCall, whose: str, *, lasts_s: float = 20, **fields: Any) -> Call:
    call = make_call(ai_call_id=f"rtc_{whose}_{lasts_s}", **fields)
    make_turn(call, 1, "Hello there")
    make_session(call, opened_at=now() - timedelta(minutes=1), silence=whose, silent_since=ago(lasts_s))
    return call


def ago(seconds: float) -> Any:
    return now() - timedelta(seconds=seconds)


def test_dead_air_needs_somebody_and_a_silent_caller_is_a_note(desk: Client, make_call: MakeCall) -> None:
    dead, waiting = quiet(make_call, "dead_air"), quiet(make_call, "caller")
    fresh = quiet(make_call, "dead_air", lasts_s=5)

    response = desk.get("/")

    assert [row.id for row in response.context["needs"]] == [dead.pk]
    assert {row.id for row in response.context["rows"]} == {waiting.pk, fresh.pk}
    text = response.content.decode()
    assert text.count(DEAD) == 1
    assert text.count("the caller is silent") == 1


@pytest.mark.parametrize(
    "fields", [{"state": "transferring"}, {"state": "with_human"}, {"ai_session": "reconnecting"}, {"state": "ended"}]
)
def test_a_caller_who_is_not_with_the_assistant_is_not_in_dead_air(
    desk: Client, make_call: MakeCall, fields: dict[str, Any]
) -> None:
    call = quiet(make_call, "dead_air", **fields)

    assert DEAD not in desk.get("/").content.decode() + desk.get(f"/calls/{call.pk}/").content.decode()


def test_the_page_counts_how_long_it_has_been_silent(desk: Client, make_call: MakeCall) -> None:
    dead, waiting = quiet(make_call, "dead_air"), quiet(make_call, "caller")

    pages = [desk.get(f"/calls/{call.pk}/").content.decode() for call in (dead, waiting)]

    assert DEAD in pages[0] and "data-since" in pages[0].split(DEAD)[1]
    assert "the caller is silent" in pages[1]


def test_the_last_five_minutes_of_a_session_need_somebody(desk: Client, make_call: MakeCall) -> None:
    call = make_call(ai_call_id="rtc_old")
    make_session(call, opened_at=now() - timedelta(minutes=56, seconds=5))

    why = "The AI session ends at 60 minutes; 4 minutes left."
    assert desk.get("/").context["needs"][0].why == why
    assert why in desk.get(f"/calls/{call.pk}/").content.decode()


def test_time_alone_changes_what_a_call_looks_like_from_afar(make_call: MakeCall, db: None) -> None:
    call = quiet(make_call, "dead_air", lasts_s=0)
    soon, later = now() + timedelta(seconds=11), now() + timedelta(seconds=13)

    assert board.stamps(soon)[call.pk] != board.stamps(later)[call.pk]
    assert call_page.stamps([call.pk], soon) != call_page.stamps([call.pk], later)


@pytest.mark.parametrize("count", [1, 30])
def test_looking_takes_one_query_for_any_number_of_calls(
    make_call: MakeCall, django_assert_num_queries: Any, count: int, db: None
) -> None:
    calls = [quiet(make_call, "caller", lasts_s=index) for index in range(count)]

    with django_assert_num_queries(1):
        board.stamps(now())
    with django_assert_num_queries(1):
        call_page.stamps([call.pk for call in calls], now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_browsers_see_dead_air_although_nobody_notified_them(make_call: MakeCall) -> None:
    call = await in_db(quiet)(make_call, "dead_air", lasts_s=-600)
    async with Browser("/ws/board/", SEEING) as desk, Browser(f"/ws/calls/{call.pk}/?seq=0&rev=1", SEEING) as page:
        await desk.until(lambda seen: f"row-{call.pk}" in seen.texts)
        await page.until(lambda seen: seen.saw("live-light"))

        await in_db(AiSession.objects.update)(silent_since=ago(12))

        await desk.until(lambda seen: seen.lists["board-needs"] == [f"row-{call.pk}"])
        await page.until(lambda seen: seen.saw(DEAD))
