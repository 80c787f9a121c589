"""Sockets: what changes arrives once, in its place, and nothing is missed or doubled however the connection fares."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.core import notify
from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard import fragments
from callops.dashboard.hub import RESTARTING, hub
from callops.dashboard.outbox import Outbox
from callops.sideband.models import Turn
from tests.dashboard.browser import WAIT_S, Browser, Pieces
from tests.dashboard.conftest import SEEING, MakeCall, change_turn, make_attempt, make_turn, said, take_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]


def happened(call: Call) -> None:
    timeline.append(call, at=now(), kind=Kind.OPENAI_DTMF, lane=Lane.OPENAI, body={"key": "5"})


def watching(call: Call, user: Any = SEEING) -> Browser:
    """A browser whose page shows nothing yet."""
    return Browser(f"/ws/calls/{call.pk}/?seq=0&rev=0", user, transcript=[], timeline=[])


async def test_a_new_turn_is_appended_once(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        first = await in_db(said)(call, 1, "Hello there")
        second = await in_db(said)(call, 2, "How can I help")

        await browser.until(lambda page: f"turn-{second.pk}" in page.texts)

        assert browser.lists["transcript"] == [f"turn-{first.pk}", f"turn-{second.pk}"]
        assert "Hello there" in browser.texts[f"turn-{first.pk}"]


async def test_a_growing_turn_is_swapped_where_it_stands(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        turn = await in_db(said)(call, 1, "I would", final=False)
        await browser.until(lambda page: f"turn-{turn.pk}" in page.texts)

        await in_db(change_turn)(turn, text="I would like to change my plan", final=True)
        await in_db(notify.call_changed)(call.pk)
        await browser.until(lambda page: "change my plan" in page.texts[f"turn-{turn.pk}"])

        assert browser.lists["transcript"] == [f"turn-{turn.pk}"]


async def test_a_turn_that_belongs_before_another_is_put_there(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        answer = await in_db(said)(call, 2, "Of course")
        await browser.until(lambda page: f"turn-{answer.pk}" in page.texts)

        question = await in_db(said)(call, 1, "Can you help")
        await browser.until(lambda page: f"turn-{question.pk}" in page.texts)
        assert browser.lists["transcript"] == [f"turn-{question.pk}", f"turn-{answer.pk}"]

        await in_db(change_turn)(question, position=3)
        await in_db(notify.call_changed)(call.pk)
        await browser.until(lambda page: page.lists["transcript"][0] == f"turn-{answer.pk}")
        await browser.until(lambda page: len(page.lists["transcript"]) == 2)
        assert browser.lists["transcript"] == [f"turn-{answer.pk}", f"turn-{question.pk}"]


async def test_a_turn_that_was_taken_back_leaves_every_page(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        kept, taken = [await in_db(said)(call, position, "Words") for position in (1, 2)]
        await browser.until(lambda page: f"turn-{taken.pk}" in page.texts)

        await in_db(take_back)(taken)
        await browser.until(lambda page: page.lists["transcript"] == [f"turn-{kept.pk}"])

        later = await in_db(said)(call, 0, "Before them")
        await browser.until(lambda page: page.lists["transcript"] == [f"turn-{later.pk}", f"turn-{kept.pk}"])


async def test_events_arrive_in_order_and_once_for_every_watcher(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as one, watching(call) as two:
        for _ in range(10):
            await in_db(happened)(call)
        for browser in (one, two):
            await browser.until(lambda page: "event-10" in page.lists["timeline"])

            assert browser.lists["timeline"] == [f"event-{seq}" for seq in range(1, 11)]


async def test_a_page_that_is_up_to_date_is_not_sent_again(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    turn = await in_db(make_turn)(call, 1, "Hello")
    await in_db(happened)(call)
    page = {"transcript": [f"turn-{turn.pk}"], "timeline": ["event-1"]}
    async with Browser(f"/ws/calls/{call.pk}/?seq=1&rev=1", SEEING, **page) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        assert not browser.saw("innerHTML:#transcript")

        await in_db(happened)(call)
        await browser.until(lambda page: "event-2" in page.texts)

        assert browser.lists["timeline"] == ["event-1", "event-2"]


async def test_a_reconnect_with_an_old_cursor_gets_the_whole_picture(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await in_db(said)(call, 1, "Before")
        await browser.until(lambda page: bool(page.lists["transcript"]))
    await in_db(said)(call, 2, "While away")
    await in_db(happened)(call)

    async with Browser(f"/ws/calls/{call.pk}/?seq=0&rev=0", SEEING, **browser.lists) as again:
        await again.until(lambda page: page.saw("live-light"))

    turns = [f"turn-{pk}" for pk in await in_db(lambda: list(Turn.objects.values_list("pk", flat=True)))()]
    assert again.lists == {"transcript": turns, "timeline": ["event-1"]}


async def test_what_was_never_notified_is_found_by_looking(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        turn = await in_db(make_turn)(call, 1, "Unannounced")

        await browser.until(lambda page: f"turn-{turn.pk}" in page.texts)


async def test_joining_in_the_middle_of_a_storm_misses_and_doubles_nothing(make_call: MakeCall) -> None:
    call = await in_db(make_call)()

    async def storm() -> None:
        for _ in range(40):
            await in_db(happened)(call)

    writing = asyncio.create_task(storm())
    browsers = []
    for _ in range(5):
        browser = watching(call)
        browsers.append(await browser.__aenter__())
        await in_db(happened)(call)
    await writing
    for browser in browsers:
        await browser.until(lambda page: "event-45" in page.lists["timeline"])
        await browser.__aexit__()

        assert browser.lists["timeline"] == [f"event-{seq}" for seq in range(1, 46)]


async def test_the_verdict_is_swapped_when_the_transfer_moves(make_call: MakeCall, supervisor: User) -> None:
    call = await in_db(make_call)()
    async with watching(call, supervisor) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        attempt = await in_db(make_attempt)(call, state="running", refer_asked_at=now())
        await in_db(happened)(call)
        await browser.until(lambda page: page.saw("Unproven"))
        assert browser.saw(f"/transfers/{attempt.pk}/cancel")
        assert not any('name="destination"' in text for text in browser.received), "the choice is the user's"


async def test_those_who_may_only_watch_are_not_sent_buttons(make_call: MakeCall, watcher: User) -> None:
    call = await in_db(make_call)()
    async with watching(call, watcher) as browser:
        await in_db(make_attempt)(call, state="running")
        await in_db(happened)(call)
        await browser.until(lambda page: page.saw("Unproven"))

        assert not browser.saw('id="commands"')


@pytest.mark.parametrize("path", ["/ws/board/", "/ws/calls/01x/"])
async def test_strangers_are_told_that_they_are_not_signed_in(path: str) -> None:
    async with Browser(path, AnonymousUser()) as browser:
        output = await browser.socket.receive_output(timeout=WAIT_S)

    assert output == {"type": "websocket.close", "code": 4401}


async def test_a_call_that_is_not_known_is_said_so() -> None:
    async with Browser("/ws/calls/nothing/?seq=x&rev=", SEEING) as browser:
        output = await browser.socket.receive_output(timeout=WAIT_S)

    assert output["code"] == 4404


async def test_what_a_browser_sends_is_not_acted_on(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.socket.send_to(text_data='{"destination": "frontdesk"}')
        await in_db(happened)(call)

        await browser.until(lambda page: "event-1" in page.texts)


async def test_browsers_are_told_to_come_back_when_the_server_stops(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))

        await hub.stop()

        output = await browser.socket.receive_output(timeout=WAIT_S)
        assert output == {"type": "websocket.close", "code": RESTARTING}


async def test_who_may_no_longer_sign_in_stops_seeing_calls(make_call: MakeCall, watcher: User) -> None:
    call = await in_db(make_call)()
    async with watching(call, watcher) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        await in_db(User.objects.filter(pk=watcher.pk).update)(is_active=False)

        await hub.check_people()

        assert await browser.closed() == 4401


async def test_a_heartbeat_reaches_every_browser(make_call: MakeCall, watcher: User) -> None:
    async with Browser("/ws/board/", watcher) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        browser.received.clear()

        await hub.beat()

        await browser.until(lambda page: page.saw("live-light"))


async def test_a_slow_browser_gets_the_whole_picture_instead_of_a_flood(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    slow = Outbox(user_id=1, limit=3)
    assert await hub.join_call(call.pk, slow, seq=0, rev=0)
    for index in range(10):
        slow.put(f"piece {index}")
    assert slow.behind

    await in_db(happened)(call)
    await hub.catch_up(slow)

    text = await slow.take()
    assert "piece" not in text
    assert "innerHTML:#timeline" in text
    assert "event-1" in text


async def test_a_page_says_that_the_database_is_away_and_that_it_is_back(
    make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await in_db(make_call)()
    read, is_away = fragments.house, True

    def house() -> list[str]:
        if is_away:
            raise OperationalError("connection failed")
        return read()

    async with watching(call) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        monkeypatch.setattr(fragments, "house", house)

        await browser.until(lambda page: page.saw("database away"))

        browser.received.clear()
        is_away = False
        await browser.until(lambda page: page.saw('data-light="live"'))


def test_pieces_that_arrive_as_one_text_are_all_read() -> None:
    icon = '<p id="looking" hx-swap-oob="true"><svg><path d="M0 0"/></svg><br></p>'
    row = '<ol hx-swap-oob="beforeend:#timeline"><li id="event-7">Seven</li></ol>'

    assert [swap for swap, _, _ in Pieces(f"{icon}\n{row}").swaps] == ["true", "beforeend:#timeline"]
