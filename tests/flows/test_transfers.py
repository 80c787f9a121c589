"""What moved the caller, proven by the carrier: the fault by name, and what a supervisor may read afterwards."""

from __future__ import annotations

import pytest

from tests.flows.proofs import is_settled, kinds_of
from tests.flows.world import World

pytestmark = pytest.mark.story


def test_a_silent_refer_is_unproven_and_then_the_redirect_did_it(world: World) -> None:
    call = world.live("happy_silent_refer", to_number="+15550105", human_answers_after_s=2)

    asked = world.transfer(call["id"])
    assert (asked["mechanism"], asked["outcome"]) == ("unknown", "pending")
    assert world.call(call["id"])["state"] == "transferring"
    settled = world.transfer_until(asked["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    assert settled["refer"]["http_status"] == 200
    assert settled["refer"]["request_id"] is None
    assert settled["refer"]["seen_by_carrier_at"] is None
    assert settled["redirect"]["document_fetched_at"]
    assert {"refer_answered", "deadline_passed", "document_fetched", "human_connected"} <= set(kinds_of(settled))
    assert "never seen by the carrier" in settled["because"]
    assert settled["time_to_human_ms"] > 0
    world.until(call["id"], lambda seen: seen["state"] in ("with_human", "ended"), "with a human")


def test_a_refer_that_works_is_proven_by_the_carrier(world: World) -> None:
    call = world.live("refer_works", to_number="+15550104", human_answers_after_s=2)

    asked = world.transfer(call["id"])
    settled = world.transfer_until(asked["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("refer", "connected")
    assert settled["refer"]["seen_by_carrier_at"]
    assert settled["redirect"] is None
    world.until(call["id"], lambda seen: seen["state"] in ("with_human", "ended"), "with a human")


def test_refer_only_past_its_deadline_is_unknown_until_a_late_witness(world: World) -> None:
    call = world.live("refer_late", refer_late_by_s=3.0, human_answers_after_s=1)

    asked = world.transfer(call["id"], policy="refer_only")
    unproven = world.transfer_until(asked["id"], is_settled, "settled")
    assert (unproven["mechanism"], unproven["outcome"]) == ("unknown", "unknown")

    late = world.transfer_until(asked["id"], lambda seen: seen["mechanism"] == "refer", "the late REFER counts")
    assert late["state"] == "settled"
    world.transfer_until(asked["id"], lambda seen: seen["outcome"] == "connected", "connected after all")


def test_a_refused_refer_is_not_waited_for(world: World) -> None:
    call = world.live("refer_tel_400", to_number="+15550104", human_answers_after_s=1)

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    assert settled["refer"]["http_status"] == 400
    assert "deadline_passed" not in kinds_of(settled)


def test_a_refer_that_hangs_does_not_hold_the_watchdog_up(world: World) -> None:
    call = world.live("refer_hangs", human_answers_after_s=1)

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")


def test_redirect_only_never_asks_for_a_refer(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=1)

    asked = world.transfer(call["id"], policy="redirect_only")
    settled = world.transfer_until(asked["id"], is_settled, "settled")

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    assert settled["refer"] is None
    assert "us.refer_asked" not in world.kinds(call["id"])


def test_a_busy_human_is_followed_by_the_next_destination(world: World) -> None:
    call = world.live("human_busy", human_answers_after_s=1)

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")

    assert settled["outcome"] == "connected"
    assert "On call" in settled["because"]


def test_nobody_answers_and_the_caller_is_back_with_the_assistant(world: World) -> None:
    call = world.live("human_no_answer", second_human="no_answer", speed=20, conversation="silent_caller")

    settled = world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled", 60)

    assert settled["outcome"] in ("no_answer", "busy")
    back = world.until(call["id"], lambda seen: seen["state"] == "live", "live again", 30)
    assert back["ended_at"] is None
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_caller_who_hangs_up_meanwhile_left(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=30)

    asked = world.transfer(call["id"])
    world.transfer_until(
        asked["id"], lambda seen: seen["redirect"] and seen["redirect"]["document_fetched_at"], "rings"
    )
    world.hang_up_caller(call["carrier"]["call_sid"])
    settled = world.transfer_until(asked["id"], is_settled, "settled")

    assert settled["outcome"] == "caller_left"
    world.until(call["id"], lambda seen: seen["state"] == "ended", "over")


def test_the_same_key_is_the_same_transfer_and_another_is_refused(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=2)
    path, body = f"/api/calls/{call['id']}/transfers", {"destination": "frontdesk"}

    first = world.http.post(path, json=body, headers={"Idempotency-Key": "click-1"})
    again = world.http.post(path, json=body, headers={"Idempotency-Key": "click-1"})
    other = world.http.post(path, json=body, headers={"Idempotency-Key": "click-2"})

    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409
    assert other.json()["transfer_id"] == first.json()["id"]
    world.transfer_until(first.json()["id"], is_settled, "settled")


def test_the_assistant_transfers_by_name(world: World) -> None:
    call = world.live("assistant_transfers", speed=6)

    seen = world.until(call["id"], lambda seen: bool(seen["transfers"]), "the assistant's transfer", 60)
    transfer = world.transfer_until(seen["transfers"][0]["id"], is_settled, "settled", 40)

    assert transfer["requested_by"] == "assistant"
    assert transfer["outcome"] == "connected"
    tool = [event for event in world.events(call["id"]) if event["kind"] == "us.tool_answered"]
    assert tool[0]["body"]["output"]["ok"] is True


def test_a_lost_redirect_answer_is_looked_up_and_never_doubled(world: World) -> None:
    call = world.live("redirect_lost_answer", human_answers_after_s=3)

    settled = world.transfer_until(world.transfer(call["id"], policy="redirect_only")["id"], is_settled, "settled", 40)

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    assert world.kinds(call["id"]).count("us.redirect_asked") == 1
