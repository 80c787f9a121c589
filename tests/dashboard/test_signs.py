"""Signs of life and open troubles stand on every page, cost two queries, and go on while one looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from callops.alerts.alarms import Signs
from callops.alerts.models import DEAD_MAN, Incident, Sign
from callops.core.clock import now
from callops.core.database import in_db
from callops.core.models import Beat
from callops.dashboard import moments, signs
from callops.sideband.models import AiSession
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import SEEING, MakeCall
from tests.rows import at

PAGES = ("/", "/calls/", "/transfers/", "/incidents/")


def beat(name: str, seconds_ago: float = 0) -> None:
    Beat.objects.update_or_create(name=name, defaults={"at": now() - timedelta(seconds=seconds_ago)})


def incident(**fields: Any) -> Incident:
    known = {"kind": "sip_rejected", "began_at": now(), "opened_at": now(), "failed": 7, "calls": 9, "because": "So."}
    return Incident.objects.create(**{**known, **fields})


@pytest.mark.django_db
def test_every_page_says_when_both_sides_were_last_heard_and_what_runs(desk: Client, make_call: MakeCall) -> None:
    beat("openai.webhook", 12.5)
    beat("twilio.request", 300.5)
    beat("engine:one")
    beat("engine:two")
    beat("engine:dead", 60)
    call = make_call()
    AiSession.objects.create(
        call=call, ai_call_id="rtc_1", webhook_at=now(), created_at=now(), accepted_at=now(),
        lease_until=now() + timedelta(seconds=60),
    )  # fmt: skip

    for page in (*PAGES, f"/calls/{call.pk}/"):
        text = desk.get(page).content.decode()
        assert ">12 s</time>" in text, page
        assert ">5 min</time>" in text, page
        assert "sidebands <b>1</b>" in text, page
        assert "engines <b>2</b>" in text, page


@pytest.mark.django_db
def test_what_was_never_heard_is_said_to_be_so(desk: Client) -> None:
    assert desk.get("/").content.decode().count("never") == 2


@pytest.mark.django_db
def test_an_open_incident_stands_on_every_page_and_a_closed_one_on_none(desk: Client) -> None:
    incident()
    incident(kind="our_fault", closed_at=now())

    for page in PAGES:
        alarms = desk.get(page).content.decode().split('id="alarms"')[1].split("</div>")[0]
        assert "OpenAI refuses calls before its webhook" in alarms, page
        assert "7 of 9 calls" in alarms, page
        assert "Our own fault" not in alarms, page


@pytest.mark.django_db
def test_that_no_engine_runs_is_said_at_once_without_anybody_to_open_an_incident(
    desk: Client, make_call: MakeCall
) -> None:
    beat("twilio.request")
    make_call()

    assert "No engine is running: nobody listens to calls" in desk.get("/").content.decode()


@pytest.mark.django_db
def test_an_engine_that_is_back_is_believed_before_its_incident_is_closed(desk: Client, make_call: MakeCall) -> None:
    make_call()
    beat("engine:one")
    incident(kind=DEAD_MAN, about=Sign.ENGINE, failed=0, calls=0)

    assert "No engine is running" not in desk.get("/").content.decode()


@pytest.mark.django_db
def test_strangers_see_nothing_of_the_house(client: Client) -> None:
    incident()

    text = client.get("/login/").content.decode()

    assert 'id="signs"' not in text
    assert 'id="alarms"' not in text


@pytest.mark.django_db
def test_the_house_is_read_with_two_queries_at_most_once_a_second(django_assert_num_queries: Any) -> None:
    beat("engine:one")

    with django_assert_num_queries(2):
        first = signs.house(at(0))
        again = signs.house(at(0.9))

    assert again is first
    assert signs.house(at(1.0)) is not first


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 days")],
)
def test_ages_are_told_in_one_unit(seconds: float, words: str) -> None:
    assert moments.rough(seconds) == words


@pytest.mark.parametrize(
    ("fields", "tone"),
    [
        ({"failed": 3, "calls": 9}, "look"),
        ({"failed": 5, "calls": 9}, "failed"),
        ({"kind": DEAD_MAN, "about": Sign.OPENAI_WEBHOOK, "failed": 0, "calls": 0}, "failed"),
    ],
)
def test_an_incident_is_red_when_most_calls_fail_or_something_stays_away(fields: dict[str, Any], tone: str) -> None:
    open_one = Incident(**{"kind": "sip_rejected", "began_at": at(0), **fields})

    assert [notice.tone for notice in signs.notices(Signs(engines=1), [open_one], at(0))] == [tone]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_open_pages_hear_of_an_incident_and_of_its_end() -> None:
    async with Browser("/ws/board/", SEEING) as browser:
        await browser.until(lambda page: page.saw('id="signs"'))
        opened = await in_db(incident)()
        await browser.until(lambda page: page.saw("OpenAI refuses calls before its webhook"))
        heard = len(browser.received)

        await in_db(Incident.objects.filter(pk=opened.pk).update)(closed_at=now())
        await browser.until(lambda page: any('id="alarms"' in text for text in page.received[heard:]))

    assert "OpenAI refuses" not in browser.received[-1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_a_page_that_joins_later_gets_the_signs_at_once() -> None:
    async with Browser("/ws/board/", SEEING) as first:
        await first.until(lambda page: page.saw('id="signs"'))
        async with Browser("/ws/board/", SEEING) as second:
            await second.until(lambda page: page.saw('id="signs"'))

    assert second.saw('id="alarms"')
