"""The record of a transfer, told by both programs: tries, what the assistant was told, and doubts that are resolved."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.flows.world import World, eventually

pytestmark = pytest.mark.story


def is_settled(transfer: dict[str, Any]) -> bool:
    return bool(transfer["state"] == "settled")


def client_events(world: World, call: dict[str, Any]) -> list[tuple[datetime, dict[str, Any]]]:
    """What the stage heard from us on this call's sideband, and when."""
    record = world.record(call["carrier"]["call_sid"])["openai"]
    mine = [row for row in record if row["kind"] == "client_event"]
    return [(datetime.fromisoformat(row["at"]), json.loads(row["frame"])) for row in mine]


def notes(world: World, call: dict[str, Any]) -> list[tuple[datetime, str]]:
    """The system items the assistant was given, and when."""
    items = [(at, event["item"]) for at, event in client_events(world, call) if "item" in event]
    return [(at, item["content"][0]["text"]) for at, item in items if item.get("role") == "system"]


def heard(each: dict[str, Any]) -> list[str]:
    return [span["words"] for span in each["heard"]]


def test_the_tries_of_a_silent_refer_and_its_redirect_are_told(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=2)

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")

    refer, redirect, dial = settled["tries"]
    assert (refer["method"], refer["number"], refer["end"]) == ("refer", 1, "answered")
    assert (refer["http_status"], refer["uri"]) == (200, "tel:+15550111")
    assert refer["duration_ms"] > 0
    assert heard(refer) == ["the assistant kept the caller company"]
    assert (redirect["method"], redirect["http_status"], redirect["end"]) == ("redirect", 200, "answered")
    assert (dial["method"], dial["label"], dial["end"]) == ("dial", "Front desk", "talking")
    assert dial["ring_ms"] > 0
    assert dial["human_connected_at"] == settled["human_connected_at"]
    assert heard(dial)[-2:] == ["ringing of Front desk", "talking to Front desk"]
    assert refer["asked_at"] < redirect["asked_at"] <= dial["asked_at"]


def test_the_assistant_is_told_before_the_deadline_of_the_refer_and_speaks_to_the_caller(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=2, conversation="silent_caller")
    eventually(lambda: "openai.turn" in world.kinds(call["id"]), "the greeting was said")

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")

    told = notes(world, call)
    assert len(told) == 1
    at, words = told[0]
    assert "connected to Front desk" in words
    assert datetime.fromisoformat(settled["refer"]["asked_at"]) <= at
    assert at < datetime.fromisoformat(settled["refer"]["deadline_at"])
    kinds = world.kinds(call["id"])
    assert kinds.index("us.refer_asked") < kinds.index("us.told_assistant")
    assert _asked_to_speak_after(world, call, "connected to Front desk")
    eventually(lambda: "openai.note_added" in world.kinds(call["id"]), "the assistant has the note")


def test_after_a_cancel_the_assistant_is_told_to_go_on_and_the_caller_is_with_it(world: World) -> None:
    call = world.live("happy_silent_refer", conversation="silent_caller")
    asked = world.transfer(call["id"], policy="refer_only")
    eventually(lambda: notes(world, call), "the assistant is told that the caller waits")

    answer = world.http.post(f"/api/transfers/{asked['id']}/cancel")

    assert answer.status_code == 202, answer.text
    eventually(lambda: len(notes(world, call)) == 2, "the assistant is told how it ended")
    assert "was cancelled" in notes(world, call)[1][1]
    eventually(lambda: _asked_to_speak_after(world, call, "was cancelled"), "the assistant is asked to speak")
    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_an_unproven_refer_is_told_to_the_assistant_and_can_be_redirected_instead(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=1, conversation="silent_caller")
    unproven = world.transfer_until(world.transfer(call["id"], policy="refer_only")["id"], is_settled, "settled")
    assert unproven["outcome"] == "unknown"
    eventually(lambda: len(notes(world, call)) == 2, "the assistant is told that it could not be confirmed")

    settled = world.transfer_until(world.transfer(call["id"], policy="redirect_only")["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    assert [each["method"] for each in settled["tries"]] == ["redirect", "dial"]


def test_a_lost_redirect_answer_is_resolved_by_asking_and_never_doubled(world: World) -> None:
    call = world.live("redirect_hangs", human_answers_after_s=1, caller_patience_s=120.0)

    asked = world.transfer(call["id"], policy="redirect_only")
    resolved = world.transfer_until(asked["id"], is_settled, "settled", 60)

    looked_up = [event["body"] for event in world.events(call["id"]) if event["kind"] == "carrier.looked_up"]
    assert looked_up[0]["ai_leg"] == "in-progress"
    assert (resolved["mechanism"], resolved["outcome"]) == ("dial_action", "connected")
    assert [each["end"] for each in resolved["tries"] if each["method"] == "redirect"] == ["lost"] * 3
    assert [each["method"] for each in resolved["tries"]][-2:] == ["end_ai_leg", "dial"]


def _asked_to_speak_after(world: World, call: dict[str, Any], words: str) -> bool:
    """Whether a response was asked for after the note with these words."""
    frames = [event for _, event in client_events(world, call)]
    told = [index for index, event in enumerate(frames) if words in json.dumps(event)]
    return bool(told) and any(event["type"] == "response.create" for event in frames[told[-1] :])
