from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from django.core.management import CommandError, call_command

from callops.core.config import Config
from callops.site import simulation
from tests.servers import free_port


def stage(answers: Iterator[httpx.Response]) -> httpx.Client:
    transport = httpx.MockTransport(lambda request: next(answers))
    return httpx.Client(base_url="http://127.0.0.1:8001", transport=transport)


def listed(state: str, *, over: bool = False) -> httpx.Response:
    return httpx.Response(200, json={"calls": [{"id": "c1", "scenario": "default", "state": state, "over": over}]})


def test_a_call_is_followed_to_its_end_and_each_state_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "ASK_EVERY_S", 0)
    answers = [
        httpx.Response(201, json={"id": "c1"}),
        listed("ringing"),
        listed("ringing"),
        listed("in-progress"),
        listed("completed", over=True),
    ]
    with stage(iter(answers)) as http:
        call = simulation.play(http, "default")

        assert list(simulation.follow(http, call)) == ["ringing", "in-progress", "completed"]


def test_an_unknown_scenario_lists_the_names() -> None:
    refusal = {"detail": "There is no scenario nope.", "scenarios": ["refer_works", "default"]}
    with (
        stage(iter([httpx.Response(404, json=refusal)])) as http,
        pytest.raises(simulation.StageRefused, match=r"no scenario nope\. It knows: default, refer_works\."),
    ):
        simulation.play(http, "nope")


def test_a_stranger_on_the_port_is_not_taken_for_a_stage() -> None:
    with (
        stage(iter([httpx.Response(502, text="<html>")])) as http,
        pytest.raises(simulation.StageRefused, match="answered 502"),
    ):
        simulation.play(http, "default")


def test_the_stage_is_where_the_settings_simulate_twilio(configure: Callable[..., Config]) -> None:
    assert simulation.stage_url(configure(twilio_base_url="http://127.0.0.1:9001")) == "http://127.0.0.1:9001"
    assert simulation.stage_url(configure(twilio_base_url="https://api.twilio.com")) == simulation.DEFAULT_STAGE


def test_without_a_stage_the_command_says_how_to_start_one() -> None:
    with pytest.raises(CommandError, match="make run"):
        call_command("simulate", "default", stage=f"http://127.0.0.1:{free_port()}")
