"""A supervisor whispers, pauses, speaks through the assistant and lets it go on: each asked, acknowledged, seen."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.flows.world import World, eventually

HTMX = {"HX-Request": "true"}


class Supervisor:
    """Works one call's page as a browser without JavaScript does."""

    def __init__(self, world: World, call_id: str) -> None:
        self.http = world.signed_in()
        self.path = f"/calls/{call_id}/"

    def page(self) -> str:
        return self.http.get(self.path).text

    def act(self, act: str, **words: str) -> httpx.Response:
        """The form as it stands on the page, with one of its buttons."""
        page = self.page()
        form = page[page.index('id="interventions"') :]
        found = {
            name: re.search(rf'name="{name}" value="([^"]*)"', form) for name in ("csrfmiddlewaretoken", "key", "seen")
        }
        hidden = {name: match[1] for name, match in found.items() if match}
        return self.http.post(f"{self.path}intervene", data={**hidden, "act": act, **words}, follow_redirects=False)


def steps(world: World, call_id: str, act: str) -> list[str]:
    """What the timeline says became of the acts of this kind."""
    events: list[dict[str, Any]] = world.events(call_id)
    return [each["kind"] for each in events if each["body"].get("act") == act]


def client_events(world: World, sid: str, kind: str) -> list[str]:
    frames = [entry["frame"] for entry in world.record(sid)["openai"] if entry["kind"] == "client_event"]
    return [frame for frame in frames if f'"{kind}"' in frame]


@pytest.mark.timeout(120)
def test_each_act_is_asked_acknowledged_and_seen_and_lands_on_the_timeline(world: World) -> None:
    with world.calling("happy_silent_refer", speed=2) as call:
        sid, desk = call["carrier"]["call_sid"], Supervisor(world, call["id"])
        seen = "openai.act_seen"

        assert desk.act("whisper", whisper="The caller is on oxygen: be quick.").status_code == 303
        eventually(lambda: seen in steps(world, call["id"], "whisper"), "the whisper is seen")
        (item,) = client_events(world, sid, "conversation.item.create")[:1]
        assert "be quick" in item
        turn = next(each for each in world.call(call["id"])["transcript"] if each["speaker"] == "operator")
        assert turn["text"] == "The caller is on oxygen: be quick."

        assert desk.act("pause").status_code == 303
        eventually(lambda: seen in steps(world, call["id"], "pause"), "the pause is seen")
        assert "assistant paused" in desk.page()
        assert desk.act("pause").status_code == 409

        assert desk.act("say", say="A colleague will be with you in a minute.").status_code == 303
        eventually(lambda: seen in steps(world, call["id"], "say"), "the words are heard")
        spoken = [each["text"] for each in world.call(call["id"])["transcript"] if each["speaker"] == "assistant"]
        assert any("A colleague will be" in text for text in spoken)

        assert desk.act("resume").status_code == 303
        eventually(lambda: "openai.act_acknowledged" in steps(world, call["id"], "resume"), "the assistant may answer")

        kinds = world.kinds(call["id"])
        for kind in ("operator.whispered", "operator.paused", "operator.said", "operator.resumed"):
            assert kinds.count(kind) == 1
        assert "openai.act_refused" not in kinds
        assert "supervisor1 whispered to the assistant" in desk.page()


@pytest.mark.timeout(120)
def test_a_stale_screen_and_a_call_that_is_over_are_refused_with_a_reason(world: World) -> None:
    with world.calling("happy_silent_refer", speed=2) as call:
        desk = Supervisor(world, call["id"])
        stale = desk.page()
        assert desk.act("pause").status_code == 303
        eventually(lambda: "assistant paused" in desk.page(), "the pause shows")
        form = stale[stale.index('id="interventions"') :]
        hidden = {
            name: re.search(rf'name="{name}" value="([^"]*)"', form)[1]
            for name in ("csrfmiddlewaretoken", "key", "seen")
        }

        answer = desk.http.post(f"{desk.path}intervene", data={**hidden, "act": "whisper", "whisper": "Hello"})

        assert answer.status_code == 409
        assert "changed since this screen was drawn" in answer.text
        assert 'value="Hello"' in answer.text
    world.hang_up_caller(call["carrier"]["call_sid"])
    world.until(call["id"], lambda seen: seen["state"] == "ended", "the call is over")
    assert "This call is over." in desk.act("whisper", whisper="Hello").text
