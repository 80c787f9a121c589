"""Incidents open and close by themselves, once, whoever looks."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from django.db import connection

from callops.alerts import watching
from callops.alerts.models import DEAD_MAN, Incident, Sign
from callops.core import beats, clock
from callops.core.database import in_db
from callops.engine.engine import Engine
from tests.alerts.conftest import fails, goes_through, seen
from tests.rows import at, make_ringing_call


def minutes(count: float) -> float:
    return count * 60


@pytest.mark.django_db
def test_three_failures_of_one_stage_open_one_incident_with_reason_and_counts() -> None:
    for second in (0, 30, 60):
        fails(at(second))
    goes_through(at(70))

    watching.look(at(80))
    watching.look(at(90))

    incident = Incident.objects.get()
    assert (incident.kind, incident.about) == ("sip_rejected", "")
    assert (incident.began_at, incident.opened_at) == (at(0), at(80))
    assert (incident.failed, incident.calls) == (3, 4)
    assert incident.because == "3 of the 4 calls that began within 10 minutes failed at this stage."


@pytest.mark.django_db
def test_failures_of_different_stages_do_not_add_up() -> None:
    fails(at(0), "sip_rejected")
    fails(at(1), "sip_rejected")
    fails(at(2), "accept_refused")

    watching.look(at(10))

    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_an_open_incident_goes_on_counting_and_ends_when_calls_go_through() -> None:
    for second in (0, 30, 60):
        fails(at(second))
    watching.look(at(65))
    fails(at(120))

    watching.look(at(130))
    counted = Incident.objects.get()
    seen(twilio__request=at(minutes(11)), engine___one=at(minutes(12)))
    goes_through(at(minutes(11)))
    watching.look(at(minutes(11.5)))
    still = Incident.objects.get()
    watching.look(at(minutes(12.1)))
    over = Incident.objects.get()

    assert (counted.failed, counted.calls, counted.closed_at) == (4, 4, None)
    assert still.closed_at is None
    assert (over.closed_at, over.failed, over.calls) == (at(minutes(12.1)), 4, 5)
    assert "reach the AI again" in over.closed_because


@pytest.mark.django_db
def test_an_incident_ends_half_an_hour_after_the_last_call() -> None:
    for second in (0, 30, 60):
        fails(at(second))
    watching.look(at(65))

    watching.look(at(minutes(30)))
    assert Incident.objects.still_open().exists()
    watching.look(at(minutes(31)))

    assert Incident.objects.get().closed_because == "There was no call for 30 minutes."


@pytest.mark.django_db
def test_the_same_trouble_later_is_another_incident() -> None:
    for start in (0, minutes(60)):
        for second in (0, 30, 60):
            fails(at(start + second))
        watching.look(at(start + 65))
        watching.look(at(start + minutes(40)))

    assert [bool(each.closed_at) for each in Incident.objects.all()] == [True, True]


@pytest.mark.django_db
def test_dials_without_webhooks_open_and_a_webhook_closes_the_dead_mans_incident() -> None:
    seen(openai__webhook=at(-600), engine___one=at(40))
    for second in (0, 10, 20):
        make_ringing_call(ai_dialled_at=at(second))

    watching.look(at(25))
    too_early = Incident.objects.exists()
    watching.look(at(27))
    opened = Incident.objects.get()
    seen(openai__webhook=at(35))
    watching.look(at(40))

    assert not too_early
    assert (opened.kind, opened.about, opened.began_at) == (DEAD_MAN, Sign.OPENAI_WEBHOOK, at(-600))
    assert Incident.objects.get().closed_at == at(40)


@pytest.mark.django_db
def test_a_session_that_ends_unseen_by_twilio_opens_an_incident_and_a_long_call_does_not() -> None:
    seen(twilio__request=at(2), openai__webhook=at(0), engine___one=at(900))
    call = goes_through(at(0))
    watching.look(at(600))
    while_it_lasts = Incident.objects.exists()
    call.sessions.update(closed_at=at(610))

    watching.look(at(645))

    assert not while_it_lasts
    assert (Incident.objects.get().about, Incident.objects.get().began_at) == (Sign.TWILIO_REQUEST, at(2))


@pytest.mark.django_db
def test_a_trunk_call_owes_no_callback() -> None:
    seen(twilio__request=at(2), openai__webhook=at(100), engine___one=at(900))
    call = goes_through(at(100), topology="trunk")
    call.sessions.update(closed_at=at(400))

    watching.look(at(600))

    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_calls_without_any_engine_open_an_incident_that_its_return_closes() -> None:
    seen(engine___one=at(0), twilio__request=at(0))
    make_ringing_call()

    watching.look(at(9))
    alive = Incident.objects.exists()
    watching.look(at(11))
    opened = Incident.objects.get()
    seen(engine___two=at(15))
    watching.look(at(16))

    assert not alive
    assert (opened.about, opened.began_at) == (Sign.ENGINE, at(0))
    assert Incident.objects.get().closed_because == "An engine runs, or nothing waits for one any more."


@pytest.mark.django_db
def test_a_look_takes_few_queries_however_many_calls_there_are(django_assert_max_num_queries) -> None:
    for second in range(120):
        fails(at(second), "sip_rejected" if second % 2 else "webhook_missing")
    watching.look(at(130))

    with django_assert_max_num_queries(14):
        watching.look(at(140))

    assert Incident.objects.still_open().count() == 2


@pytest.mark.django_db
def test_only_one_looks_in_ten_seconds() -> None:
    took = [watching.look_in_turn(at(second)) for second in (0, 0, 5, 9.9, 10, 10)]

    assert took == [True, False, False, False, True, False]


@pytest.mark.django_db(transaction=True)
def test_any_number_of_processes_open_one_incident() -> None:
    for second in (0, 30, 60):
        fails(at(second))
    together = threading.Barrier(4)
    errors: list[BaseException] = []

    def look() -> None:
        try:
            together.wait()
            watching.look(at(65))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Incident.objects.count() == 1


@pytest.mark.django_db(transaction=True)
async def test_two_engines_open_one_incident() -> None:
    now = clock.now()
    for second in (60, 40, 20):
        await in_db(fails)(now - timedelta(seconds=second))
    engines = [Engine(owner="one"), Engine(owner="two")]
    running = [asyncio.create_task(engine.run()) for engine in engines]

    async with asyncio.timeout(20):
        while await in_db(beats.engines)(clock.now()) < 2 or not await in_db(Incident.objects.exists)():
            await asyncio.sleep(0.05)
    for engine in engines:
        await engine.stop()
    await asyncio.gather(*running)

    assert await in_db(Incident.objects.count)() == 1
