"""A character that cannot be kept is refused in a sentence, at every form, and what was typed stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from callops.alerts.models import BY_HAND, Incident, IncidentStep
from callops.calls.models import Call, Event
from callops.core.clock import now
from callops.core.text import NUL, WHY_UNFIT
from callops.dashboard.models import WallLink
from callops.finding.models import SavedView
from callops.people.roles import Role
from callops.supervision.models import Intervention, Preset
from callops.transfers.models import BreakerAct, TransferAttempt
from tests.dashboard.conftest import make_turn
from tests.dashboard.test_history import client_of
from tests.rows import at, make_call, make_line, make_session

pytestmark = pytest.mark.django_db
TYPED = f"Front{NUL}desk is closed"


@pytest.fixture
def desk() -> Client:
    return client_of("root", Role.ADMINISTRATOR)


@pytest.fixture
def call() -> Call:
    line = make_line()
    call = make_call(line, carrier_sid="CA1", ai_call_id=None, ai_session="none", ai_dialled_at=at(0))
    make_session(make_call(line, carrier_sid=None, ai_call_id="rtc_1"))
    return call


def made_incident() -> str:
    one = Incident.objects.create(kind=BY_HAND, began_at=now(), opened_at=now(), title="Silence")
    return f"/incidents/{one.pk}/act"


Place = Callable[[Call], str]
FORMS: list[tuple[str, Place, str, dict[str, str]]] = [
    ("note", lambda call: made_incident(), "text", {"act": "note"}),
    ("cause", lambda call: made_incident(), "text", {"act": "resolve", "rev": "0", "cause": "ours"}),
    ("title", lambda call: "/incidents/new", "title", {}),
    ("title of a call's", lambda call: f"/calls/{call.pk}/collect", "title", {"incident": ""}),
    ("title of what was found", lambda call: "/incidents/collect", "title", {"query": "?q=555"}),
    ("whisper", lambda call: f"/calls/{call.pk}/intervene", "whisper", {"act": "whisper", "key": "k", "seen": "0"}),
    ("say", lambda call: f"/calls/{call.pk}/intervene", "say", {"act": "say", "key": "k", "seen": "0"}),
    ("brief", lambda call: f"/calls/{call.pk}/transfer", "brief", {"destination": "x", "key": "k"}),
    ("destination", lambda call: f"/calls/{call.pk}/transfer", "destination", {"key": "k"}),
    ("mark", lambda call: f"/calls/{call.pk}/mark", "text", {}),
    ("link", lambda call: f"/calls/{call.pk}/link", "why", {"other": "1"}),
    ("breaker", lambda call: f"/transfers/lines/{call.line_id}/breaker", "why", {"force": "open"}),
    ("reveal", lambda call: f"/calls/{call.pk}/reveal/{make_turn(call, 1, 'x').pk}", "why", {}),
    ("view", lambda call: "/calls/views/save", "name", {"query": "?q=555"}),
    ("wall", lambda call: "/wall/", "name", {"hours": "12"}),
    ("preset's title", lambda call: "/desk/", "preset-title", {"about": "preset", "preset-words": "x"}),
    ("preset's words", lambda call: "/desk/", "preset-words", {"about": "preset", "preset-title": "x"}),
    ("price", lambda call: "/desk/", "price-model", {"about": "price", "price-from_day": "2026-01-01"}),
]


@pytest.mark.parametrize(("place", "field", "others"), [each[1:] for each in FORMS], ids=[each[0] for each in FORMS])
def test_text_that_cannot_be_kept_is_refused_saying_so_and_stays_typed(
    desk: Client, call: Call, place: Place, field: str, others: dict[str, str]
) -> None:
    told: dict[str, Any] = {**others, field: TYPED}

    answer = desk.post(place(call), told)

    assert answer.status_code == 422
    assert WHY_UNFIT in answer.text
    assert "desk is closed" in answer.text
    kept = (IncidentStep, BreakerAct, Intervention, Preset, SavedView, TransferAttempt, WallLink)
    assert not any(model.objects.exists() for model in kept)
    assert not Incident.objects.exclude(title="Silence").exists()
    assert not Event.objects.filter(kind="operator.marked").exists()


def test_what_was_refused_can_be_mended_and_sent_again_from_the_same_page(desk: Client, call: Call) -> None:
    answer = desk.post("/incidents/collect", {"title": TYPED, "query": "?q=555", "incident": ""})

    assert 'action="/incidents/collect"' in answer.text
    assert 'name="query" value="?q=555"' in answer.text


def test_a_search_with_it_is_told_and_finds_no_other_calls(desk: Client, call: Call) -> None:
    answer = desk.get("/calls/", {"q": f"silent{NUL}ly"})

    assert WHY_UNFIT in answer.text
    assert desk.post("/incidents/collect", {"title": "All", "query": "?q=silent%00ly"}).status_code == 422
    assert not Incident.objects.exists()
