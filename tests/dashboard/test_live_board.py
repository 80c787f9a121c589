"""The board's socket: rows come, move, change and go while one looks."""

from __future__ import annotations

import pytest

from callops.calls.models import Call
from callops.core import notify
from callops.core.database import in_db
from callops.dashboard import topics
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import SEEING, MakeCall, make_line, said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]


async def test_the_board_gains_moves_and_loses_rows(make_call: MakeCall) -> None:
    line = await in_db(make_line)()
    async with Browser("/ws/board/", SEEING) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        first = await in_db(make_call)(line=line)
        second = await in_db(make_call)(line=line)
        older, newer = sorted([first.pk, second.pk])
        await browser.until(lambda page: len(page.lists["board-live"]) == 2)
        assert browser.lists["board-live"] == [f"row-{newer}", f"row-{older}"]

        await in_db(Call.objects.filter(pk=newer).update)(ai_session="reconnecting")
        await in_db(notify.call_changed)(newer)
        await browser.until(lambda page: page.lists["board-needs"] == [f"row-{newer}"])
        assert browser.lists["board-live"] == [f"row-{older}"]

        await in_db(Call.objects.filter(pk=newer).update)(ai_session="open")
        await browser.until(lambda page: page.lists["board-live"] == [f"row-{newer}", f"row-{older}"])
        assert browser.lists["board-needs"] == []

        await in_db(Call.objects.filter(pk=older).delete)()
        await browser.until(lambda page: page.lists["board-live"] == [f"row-{newer}"])
        assert browser.saw("<b>2</b> live")


async def test_a_row_of_the_board_shows_the_words_as_they_are_spoken(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with Browser("/ws/board/", SEEING) as browser:
        await browser.until(lambda page: f"row-{call.pk}" in page.texts)
        await in_db(said)(call, 1, "Is anybody there")

        await browser.until(lambda page: page.saw("Is anybody there"))

        assert browser.lists["board-live"] == [f"row-{call.pk}"]


async def test_a_board_of_more_rows_than_are_read_together_misses_none_of_them(make_call: MakeCall) -> None:
    line, many = await in_db(make_line)(), 2 * topics.AT_ONCE + 1
    async with Browser("/ws/board/", SEEING) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        keys = [(await in_db(make_call)(line=line)).pk for _ in range(many)]
        await browser.until(lambda page: len(page.lists["board-live"]) == many)

        await in_db(Call.objects.filter(pk__in=keys).update)(ai_session="reconnecting")
        await in_db(notify.calls_changed)(keys)
        await browser.until(lambda page: len(page.lists["board-needs"]) == many)

        assert browser.lists["board-live"] == []
        assert browser.lists["board-needs"] == [f"row-{key}" for key in sorted(keys, reverse=True)]
