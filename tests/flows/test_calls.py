"""A call from ring to end, as the carrier, the AI and a program at the API see it."""

from __future__ import annotations

import pytest

from tests.flows.world import World, eventually

pytestmark = pytest.mark.story


def is_over(call: dict) -> bool:
    return bool(call["state"] == "ended")


def test_a_call_is_joined_talks_and_ends_with_the_caller(world: World) -> None:
    call = world.live("happy_silent_refer", speed=4)

    assert call["correlation"] == {"method": "signed_header", "confidence": "exact"}
    assert call["ai"]["session"] == "open"
    assert call["carrier"]["topology"] == "twiml"
    assert call["line"] == "Northline support"

    world.until(call["id"], lambda seen: any(turn["speaker"] == "caller" for turn in seen["transcript"]), "words")
    world.hang_up_caller(call["carrier"]["call_sid"])
    ended = world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "the caller ended it")
    assert ended["state"] == "ended"
    assert ended["failure_stage"] is None


def test_the_transcript_grows_while_it_is_spoken(world: World) -> None:
    call = world.live("happy_silent_refer", speed=4)

    first = world.until(call["id"], lambda seen: len(seen["transcript"]) >= 1, "a first turn")
    more = world.until(call["id"], lambda seen: len(seen["transcript"]) >= 4, "more turns")

    assert [turn["id"] for turn in more["transcript"]][: len(first["transcript"])] == [
        turn["id"] for turn in first["transcript"]
    ]
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_caller_who_leaves_early_is_not_left_live(world: World) -> None:
    call = world.live("caller_hangs_up_early", speed=4)

    ended = world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "the caller ended it", 30)

    assert ended["state"] == "ended"


def test_the_assistant_may_end_the_call(world: World) -> None:
    call = world.live("assistant_ends", speed=4)

    ended = world.until(call["id"], is_over, "the call is over", 60)

    assert ended["ended_by"] == "assistant"


def test_a_withheld_number_is_no_number(world: World) -> None:
    call = world.live("withheld", speed=4)

    assert call["from_number"] is None
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_keys_are_on_the_timeline(world: World) -> None:
    call = world.live("dtmf", speed=4)

    eventually(lambda: "openai.dtmf" in world.kinds(call["id"]), "a key press", 40)
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_webhook_delivered_twice_is_accepted_once(world: World) -> None:
    call = world.live("webhook_duplicate", speed=4)

    eventually(lambda: world.kinds(call["id"]).count("openai.accept_answered"), "the accept is answered")
    assert world.kinds(call["id"]).count("us.accept_asked") == 1
    world.hang_up_caller(call["carrier"]["call_sid"])


def legs(world: World, call_id: str) -> list[tuple[str, str]]:
    """Whose legs the carrier told of, and what it told."""
    bodies = [event["body"] for event in world.events(call_id) if event["kind"] == "carrier.leg"]
    return [(body["role"], body["status"]) for body in bodies]


def test_a_call_that_never_reached_the_ai_is_led_to_the_fallback(world: World) -> None:
    sid = world.ring("sip_400_no_webhook", speed=10)
    call = eventually(lambda: world.call_of(sid), "the call is known")

    world.until(call["id"], lambda seen: seen["state"] in ("with_human", "ended"), "rescue", 30)
    world.until(call["id"], lambda seen: seen["failure_stage"] == "sip_rejected", "the SIP refusal is known")
    eventually(lambda: legs(world, call["id"]).count(("ai", "failed")) == 2, "the AI was tried once more")
    eventually(lambda: ("human", "in-progress") in legs(world, call["id"]), "the fallback's leg")


def test_a_dropped_sideband_is_attached_again_while_the_call_goes_on(world: World) -> None:
    call = world.live("sideband_drops", speed=2)

    def attached_again() -> bool:
        opened = [event for event in world.events(call["id"]) if event["kind"] == "openai.sideband_open"]
        return any(event["body"]["again"] for event in opened)

    eventually(attached_again, "attached again", 40)
    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_an_operator_hangs_up_both_legs(world: World) -> None:
    call = world.live("happy_silent_refer", speed=2)

    assert world.http.post(f"/api/calls/{call['id']}/hangup").status_code == 202

    ended = world.until(call["id"], is_over, "the call is over")
    assert ended["ended_by"] == "operator"
    world.until(call["id"], lambda seen: seen["ai"]["session"] == "closed", "the AI's session is over too")
