"""A line whose REFERs stay silent: the redirect goes first, and a probe that works brings the REFER back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.world import RECOVERING_LINE, SICK_LINE, World


def is_settled(transfer: dict[str, Any]) -> bool:
    return bool(transfer["state"] == "settled")


def asked_on(world: World, number: str, scenario: str) -> dict[str, Any]:
    call = world.live(scenario, to_number=number, human_answers_after_s=1)
    return world.transfer(call["id"])


def moved_on(world: World, number: str, scenario: str) -> dict[str, Any]:
    return world.transfer_until(asked_on(world, number, scenario)["id"], is_settled, "settled")


def past(world: World, sentence: str) -> None:
    world.manage("shell", "-c", f"from tests.flows.past import *; {sentence}")


@pytest.mark.story
def test_after_seven_silent_refers_the_redirect_goes_first_and_the_verdict_says_why(world: World) -> None:
    asked = [asked_on(world, SICK_LINE, "happy_silent_refer") for _ in range(7)]
    silent = [world.transfer_until(each["id"], is_settled, "settled") for each in asked]

    switched = moved_on(world, SICK_LINE, "happy_silent_refer")

    assert all(each["refer"]["http_status"] == 200 for each in silent)
    assert (switched["mechanism"], switched["outcome"]) == ("redirect", "connected")
    assert (switched["policy"], switched["refer"]) == ("refer_then_redirect", None)
    assert switched["because"].startswith("REFER has been silent for 7 of 7: the redirect went first. ")
    assert "us.refer_asked" not in world.kinds(switched["call_id"])


def test_two_probes_that_work_bring_the_refer_back(world: World) -> None:
    past(world, f"silent_refers('{RECOVERING_LINE}', 7, minutes_ago=15)")

    first = moved_on(world, RECOVERING_LINE, "refer_works")
    between = moved_on(world, RECOVERING_LINE, "refer_works")
    past(world, f"let_pass('{RECOVERING_LINE}', minutes=11)")
    second = moved_on(world, RECOVERING_LINE, "refer_works")
    after = moved_on(world, RECOVERING_LINE, "refer_works")

    assert [each["mechanism"] for each in (first, between, second, after)] == ["refer", "redirect", "refer", "refer"]
    assert first["because"].startswith("REFER has been silent for 7 of 7; this one was a probe: REFER went first. ")
    assert between["because"].startswith("REFER was seen in time for 1 of 8 (7 silent): the redirect went first. ")
    assert "this one was a probe" in second["because"]
    assert after["because"].startswith("REFER asked ")
