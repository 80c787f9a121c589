"""Calls over a trunk: no leg to steer, so only a REFER moves a caller, and its child call is the only proof."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.flows.world import World, eventually

pytestmark = pytest.mark.story

TRUNK = "+15550102"
CALLERS = (f"+15550{number}" for number in itertools.count(160))
"""Halves of trunk calls are joined by numbers and time, so each story has a caller of its own."""


def live(world: World, scenario: str, **knobs: Any) -> dict[str, Any]:
    call = world.live(scenario, from_number=next(CALLERS), to_number=TRUNK, **knobs)
    assert call["carrier"]["topology"] == "trunk"
    return call


def is_settled(transfer: dict[str, Any]) -> bool:
    return bool(transfer["state"] == "settled")


def evidence_of(transfer: dict[str, Any]) -> set[str]:
    return {row["kind"] for row in transfer["evidence"]}


def bodies(world: World, call: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event["body"] for event in world.events(call["id"]) if event["kind"] == kind]


def test_a_refer_is_proven_by_its_child_and_the_human_by_the_childs_status(world: World) -> None:
    call = live(world, "trunk_refer_works", human_answers_after_s=3)

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled", 40)
    connected = world.transfer_until(settled["id"], lambda seen: seen["outcome"] == "connected", "connected", 40)

    assert (connected["mechanism"], connected["redirect"]) == ("refer", None)
    assert {"child_seen", "human_ringing", "human_connected"} <= evidence_of(connected)
    assert connected["time_to_human_ms"] > 0
    world.until(call["id"], lambda seen: seen["state"] == "with_human", "with a human")
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_silent_refer_is_unproven_and_nothing_else_is_tried(world: World) -> None:
    call = live(world, "trunk_refer_silent")

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled", 40)

    assert (settled["mechanism"], settled["outcome"], settled["policy"]) == ("unknown", "unknown", "refer_only")
    assert "never seen by the carrier" in settled["because"]
    assert not {"us.redirect_asked", "carrier.document"} & set(world.kinds(call["id"]))
    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_child_that_comes_after_the_transfer_settled_makes_it_a_refer(world: World) -> None:
    call = live(world, "trunk_refer_late", refer_late_by_s=3.0, human_answers_after_s=3)

    asked = world.transfer(call["id"])
    unproven = world.transfer_until(asked["id"], is_settled, "settled", 40)
    assert (unproven["mechanism"], unproven["outcome"]) == ("unknown", "unknown")
    late = world.transfer_until(asked["id"], lambda seen: seen["mechanism"] == "refer", "the late child counts", 40)
    assert late["settled_at"] == unproven["settled_at"]

    connected = world.transfer_until(asked["id"], lambda seen: seen["outcome"] == "connected", "connected", 40)
    assert "after the deadline" in connected["because"]
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_refer_the_trunk_refuses_is_failed_on_the_carriers_word(world: World) -> None:
    call = live(world, "trunk_refer_refused")

    asked = world.transfer(call["id"])
    failed = world.transfer_until(asked["id"], lambda seen: seen["outcome"] == "failed", "failed", 40)

    assert (failed["state"], failed["mechanism"]) == ("settled", "none")
    assert "refer_refused" in evidence_of(failed)
    assert "alert 32218" in failed["because"]
    assert [body["code"] for body in bodies(world, call, "carrier.alert")] == [32218]
    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_trunk_refuses_to_be_redirected_with_a_reason(world: World) -> None:
    call = live(world, "trunk_refer_silent")

    answer = world.http.post(
        f"/api/calls/{call['id']}/transfers", json={"destination": "frontdesk", "policy": "redirect_only"}
    )

    assert answer.status_code == 422
    assert "only a REFER can move it" in answer.json()["detail"]
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_caller_whose_trunk_cannot_reach_the_ai_is_led_to_a_human(world: World) -> None:
    sid = world.ring(
        "trunk_sip_400", from_number=next(CALLERS), to_number=TRUNK, human_answers_after_s=1, human_talks_s=60
    )
    call = eventually(lambda: world.call_of(sid), "the call is known")

    rescued = world.until(call["id"], lambda seen: seen["state"] == "with_human", "with a human", 30)

    assert (rescued["failure_stage"], rescued["carrier"]["topology"]) == ("sip_rejected", "twiml")
    told = [kind for kind in world.kinds(call["id"]) if kind != "carrier.alert"]
    assert told[:2] == ["carrier.recovery", "us.rescued"]
    assert bodies(world, call, "us.rescued")[0]["label"] == "Front desk"
    eventually(lambda: bodies(world, call, "carrier.alert"), "the alert")
    assert [body["code"] for body in bodies(world, call, "carrier.alert")] == [32011]

    moved = world.transfer_until(world.transfer(call["id"], "medical_priority")["id"], is_settled, "settled", 40)
    assert (moved["mechanism"], moved["outcome"]) == ("redirect", "connected")
    world.hang_up_caller(sid)
