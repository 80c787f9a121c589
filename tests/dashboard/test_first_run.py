"""Before the first call the board says what is missing, and leads to a simulated call in one click."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.test import Client

from callops.audit.models import Entry
from callops.core import beats
from callops.core.clock import now
from callops.core.config import config
from callops.core.models import Beat
from tests.dashboard.conftest import MakeCall, make_line

pytestmark = pytest.mark.django_db
PLAY = "Play a simulated call"


def board(client: Client) -> str:
    return client.get("/").content.decode()


@pytest.fixture
def demo(settings: Any) -> None:
    settings.CALLOPS = replace(config(), demo=True)


def test_an_empty_house_says_what_is_missing_and_what_to_paste_where(desk: Client) -> None:
    text = board(desk)

    assert "No line is loaded" in text and "manage.py load_directory FILE" in text
    assert f'data-copy="{config().public_url}/twiml/inbound"' in text
    assert f'data-copy="{config().public_url}/webhooks/openai"' in text
    assert "realtime.call.incoming" in text
    assert "No engine runs" in text
    assert "manage.py serve --demo" in text and PLAY not in text


def test_what_is_set_up_is_said_to_be(desk: Client, demo: None) -> None:
    make_line()
    for name in (beats.TWILIO_REQUEST, beats.OPENAI_WEBHOOK, f"{beats.ENGINE}one"):
        Beat.objects.create(name=name, at=now())

    text = board(desk)

    assert "Northline support" in text
    assert "Twilio knows the way" in text and "OpenAI knows the way" in text
    assert "1 engine runs" in text
    assert "All that can be seen from here is set up" in text


def test_after_the_first_call_nothing_of_it_is_left(desk: Client, make_call: MakeCall) -> None:
    make_call(state="ended")

    assert "No calls yet" not in board(desk)


def test_one_click_makes_the_simulator_call(desk: Client, demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []

    def post(url: str, **told: Any) -> httpx.Response:
        asked.append((url, told["json"]))
        return httpx.Response(201, request=httpx.Request("POST", url), content=json.dumps({"id": "CA1"}))

    monkeypatch.setattr(httpx, "post", post)
    assert PLAY in board(desk)

    answer = desk.post("/simulated-call")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert asked == [(f"{config().twilio_base_url}/_stage/calls", {"scenario": "default"})]
    assert Entry.objects.get().verb == "simulate call"


def test_a_simulator_that_is_silent_is_told_of(desk: Client, demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def post(url: str, **told: Any) -> httpx.Response:
        raise httpx.ConnectError("nobody")

    monkeypatch.setattr(httpx, "post", post)

    answer = desk.post("/simulated-call")

    assert answer.status_code == 409
    assert "The simulator does not answer" in answer.content.decode()


def test_with_real_providers_nobody_is_made_to_call(desk: Client) -> None:
    answer = desk.post("/simulated-call")

    assert answer.status_code == 409
    assert "real ones" in answer.content.decode()


def test_who_may_only_watch_has_no_such_button(client: Client, demo: None, watcher: Any) -> None:
    client.force_login(watcher)

    assert PLAY not in board(client)
    assert client.post("/simulated-call").status_code == 403


def test_with_simulated_providers_nobody_is_sent_to_a_console(desk: Client, demo: None) -> None:
    text = board(desk)

    assert text.count("The simulated one knows this address") == 2
    assert "Twilio and OpenAI are simulated" in text
