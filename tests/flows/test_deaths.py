"""The program dies, or hears nothing, while a call is on its way: the caller goes on, and the record is put right."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.flows.stories import Story, story
from tests.flows.world import World, eventually

pytestmark = pytest.mark.timeout(300)

Json = dict[str, Any]
QUICK: Json = {"accept_latency_s": 0.3, "human_answers_after_s": 2.0, "human_talks_s": 8.0, "speed": 4.0}


def until_told(world: World, sid: str, is_so: Any, what: str, within_s: float = 40) -> Story:
    """The caller's story as soon as it is so."""
    seen: list[Story] = []

    def look() -> bool:
        seen[:] = [story(world, sid)]
        return bool(is_so(seen[0]))

    eventually(look, what, within_s)
    return seen[0]


def repairs(world: World, call_id: str) -> list[bool]:
    return [event["body"]["repaired"] for event in world.events(call_id) if event["kind"] == "carrier.looked_up"]


def test_who_was_handed_the_document_before_we_died_reaches_a_human_by_it_and_the_restart_ends_the_call(
    world: World,
) -> None:
    sid = world.ring("webhook_never", **{**QUICK, "webhook_delay_s": 4.0})
    until_told(world, sid, lambda told: told.legs(ai=True), "the AI is dialled by the document")
    call = eventually(lambda: world.call_of(sid), "the call is known")
    world.stop_app(signal.SIGKILL)
    try:
        told = until_told(world, sid, lambda told: told.over, "the caller's call is over", 60)
        assert (len(told.legs(ai=True)), told.reached_human, told.reached_ai, told.hung_up) == (2, True, False, False)
    finally:
        world.start_app()

    seen = world.until(call["id"], lambda seen: seen["state"] == "ended", "put right by the restart", 30)

    assert (seen["failure_stage"], repairs(world, call["id"])[-1]) == ("webhook_missing", True)
    assert seen["ended_by"] == "unknown"


def test_a_webhook_whose_taker_was_killed_is_delivered_again_and_acted_upon(world: World) -> None:
    knobs = {**QUICK, "accept_latency_s": 2.0, "webhook_retry_s": 1.0, "conversation": "withheld_long"}
    sid = world.ring("default", **knobs)
    call = eventually(lambda: world.call_of(sid), "the call is known")
    eventually(lambda: "us.accept_asked" in world.kinds(call["id"]), "the accept is on its way")
    world.stop_app(signal.SIGKILL)
    world.start_app()

    world.until(call["id"], lambda seen: seen["state"] == "live" and seen["transcript"], "live, with words", 40)
    told = until_told(world, sid, lambda told: told.reached_ai, "the AI talks to the caller")

    assert told.openai("webhook.failed")
    assert 200 in [entry["status"] for entry in told.openai("webhook.answered")]
    world.hang_up_caller(sid)
    ended = world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "ended by the caller")
    assert (ended["state"], ended["failure_stage"]) == ("ended", None)


def talking_to_a_human(world: World) -> Json:
    """A call whose caller talks to a human, and of which no callback will ever tell the end."""
    call = world.live("callbacks_all_lost", **{**QUICK, "human_talks_s": 2000.0, "conversation": "withheld_long"})
    asked = world.transfer(call["id"], policy="redirect_only")
    until_told(world, call["carrier"]["call_sid"], lambda told: told.reached_human, "the human answers")
    return {**call, "transfer": asked["id"]}


def hang_up(world: World, call: Json) -> None:
    sid = call["carrier"]["call_sid"]
    world.hang_up_caller(sid)
    until_told(world, sid, lambda told: told.over, "over at the carrier")


def test_an_end_that_nobody_told_is_found_by_the_engine_that_starts(world: World) -> None:
    call = talking_to_a_human(world)
    world.stop_app()
    try:
        hang_up(world, call)
    finally:
        world.start_app()

    world.until(call["id"], lambda seen: seen["state"] == "ended", "put right by the restart", 30)

    world.transfer_until(call["transfer"], lambda seen: seen["state"] == "settled", "settled with it", 10)
    assert repairs(world, call["id"])[-1] is True


def test_an_end_that_nobody_told_is_found_within_a_minute_without_a_restart(world: World) -> None:
    call = talking_to_a_human(world)
    assert world.call(call["id"])["state"] != "ended"
    hang_up(world, call)

    world.until(call["id"], lambda seen: seen["state"] == "ended", "put right by a look at the carrier", 90)

    assert repairs(world, call["id"])[-1] is True
