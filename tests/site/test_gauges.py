"""What `/metrics` shows of calls, sidebands and transfers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from callops.alerts.models import Incident
from callops.calls import intake
from callops.calls.words import State
from callops.core import clock
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
