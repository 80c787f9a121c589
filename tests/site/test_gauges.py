"""What `/metrics` shows of calls, sidebands and transfers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from callops.alerts.models import Incident
from callops.calls import intake
from callops.calls.words import State
from callops.core import beats, clock, metrics
from callops.core.beats import TWILIO_REQUEST
from callops.core.models import Beat

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_every_state_is_counted_even_when_it_is_empty() -> None:
    intake.open_call(at=NOON, line=None, from_number="+15550123", to_number="+15550100")

    shown = Client().get("/metrics").content.decode()

    assert 'callops_calls{state="ringing"} 1.0' in shown
    assert 'callops_calls{state="with_human"} 0.0' in shown
    assert f'state="{State.ENDED}"' not in shown
    assert "callops_sidebands 0.0" in shown


@pytest.mark.django_db
def test_signs_of_life_and_open_incidents_are_shown_and_a_sign_never_seen_is_not() -> None:
    Beat.objects.create(name="engine:one", at=clock.now())
    Beat.objects.create(name=TWILIO_REQUEST, at=clock.now())
    Incident.objects.create(kind="sip_rejected", began_at=NOON, opened_at=NOON, because="Three of four calls failed.")

    shown = Client().get("/metrics").content.decode()

    assert "callops_engines 1.0" in shown
    assert 'callops_seconds_since{sign="twilio_request"}' in shown
    assert "openai_webhook" not in shown
    assert 'callops_open_incidents{kind="sip_rejected"} 1.0' in shown
    assert 'callops_open_incidents{kind="dead_man"} 0.0' in shown


@pytest.mark.django_db
def test_each_engine_that_looks_around_is_shown_with_its_load() -> None:
    beats.engine_lives("one", clock.now(), {"calls": 3, "capacity": 250, "batches": 1, "events": 12})
    beats.engine_lives("two", clock.now() - timedelta(minutes=1), {"calls": 9})

    shown = Client().get("/metrics").content.decode()

    assert 'callops_engine_calls{engine="one"} 3.0' in shown
    assert 'callops_engine_capacity{engine="one"} 250.0' in shown
    assert 'callops_engine_events_waiting{engine="one"} 12.0' in shown
    assert 'engine="two"' not in shown
    assert "callops_database_up 1.0" in shown


def test_a_database_that_is_away_is_said_and_nothing_is_shown_as_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(metrics, "counted", away)

    answer = Client().get("/metrics")

    assert answer.status_code == 200
    assert "callops_database_up 0.0" in answer.content.decode()
    assert "callops_calls" not in answer.content.decode()
