"""Calls that die on their way to the AI, or around it: the stage that is named, and the caller who is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.stories import Story, story
from tests.flows.world import World, eventually

pytestmark = pytest.mark.story

Json = dict[str, Any]
QUICK: Json = {"accept_latency_s": 0.3, "human_answers_after_s": 2.0, "human_talks_s": 8.0, "speed": 4.0}
CHAT: Json = {**QUICK, "conversation": "withheld_long"}
"""A conversation of three minutes: 45 s at this speed."""


def known(world: World, scenario: str, **knobs: Any) -> Json:
    """The call as soon as it is known."""
    sid = world.ring(scenario, **{**QUICK, **knobs})
    return eventually(lambda: world.call_of(sid), f"the call {sid} is known")


def ended(world: World, call: Json, by: str, within_s: float = 60) -> tuple[Json, Story]:
    """The call when the record says that it is over and who ended it, and what the stage says of its caller.

    Who ended it may be known a moment later than the end.
    """
    over = ("ended", by)
    seen = world.until(call["id"], lambda now: (now["state"], now["ended_by"]) == over, f"ended by {by}", within_s)
    told = story(world, call["carrier"]["call_sid"])
    assert told.over
    return seen, told


def lines(world: World, call: Json, kind: str) -> list[Json]:
    return [event["body"] for event in world.events(call["id"]) if event["kind"] == kind]


@pytest.mark.parametrize(
    ("scenario", "knobs", "stage"),
    [
        ("sip_400_no_webhook", {}, "sip_rejected"),
        ("sip_403", {}, "sip_rejected"),
        ("sip_486", {}, "sip_rejected"),
        ("sip_503", {}, "sip_rejected"),
        ("sip_603", {}, "sip_rejected"),
        ("webhook_never", {}, "sip_rejected"),
        ("webhook_never", {"webhook_delay_s": 60.0}, "webhook_missing"),
        ("webhook_late", {}, "sip_rejected or accept_refused"),  # whichever of the two is heard of first
        ("accept_404", {}, "accept_refused"),
        ("accept_429", {}, "accept_refused"),
        ("accept_500", {}, "accept_refused"),
        ("accept_hangs", {}, "accepted_but_dead"),
        ("accept_dead", {}, "accepted_but_dead"),
    ],
)
def test_who_never_reaches_the_ai_reaches_a_human_and_the_stage_is_named(
    world: World, scenario: str, knobs: Json, stage: str
) -> None:
    call, told = ended(world, known(world, scenario, **knobs), "human", 75)

    assert call["failure_stage"] in stage.split(" or ")
    world.until(call["id"], lambda seen: seen["ai"]["session"] in ("none", "closed"), "no session is left")
    assert len(told.legs(ai=True)) == 2
    assert (told.reached_ai, told.reached_human, told.hung_up, told.was_cut_off) == (False, True, False, False)


@pytest.mark.parametrize("scenario", ["sip_503", "accept_dead"])
def test_on_a_line_without_the_way_in_its_document_every_end_of_a_dial_is_answered_by_the_next_step(
    world: World, scenario: str
) -> None:
    call, told = ended(world, known(world, scenario, to_number="+15550109"), "human")

    assert [body["label"] for body in lines(world, call, "us.rescued")] == ["the assistant, once more", "Front desk"]
    assert (len(told.legs(ai=True)), told.reached_human) == (2, True)


def test_where_nobody_is_left_the_caller_hears_an_apology(world: World) -> None:
    call, told = ended(world, known(world, "sip_503", to_number="+15550108"), "carrier")

    assert (call["failure_stage"], told.heard_an_apology) == ("sip_rejected", True)
    assert not told.hung_up


@pytest.mark.parametrize(
    ("scenario", "stage"), [("sip_503_once", "sip_rejected"), ("accept_dead_once", "accepted_but_dead")]
)
def test_the_second_try_reaches_the_ai_and_is_not_cut_when_the_first_is_given_up(
    world: World, scenario: str, stage: str
) -> None:
    call = known(world, scenario, conversation="withheld_long", speed=2.0)
    world.until(call["id"], lambda seen: seen["state"] == "live", "live at the second try")
    eventually(lambda: world.call(call["id"])["ai"]["session"] == "open", "the sideband is open")
    first = story(world, call["carrier"]["call_sid"]).openai("invite")[0]["call_id"]
    given_up = ("openai.sideband_refused", "openai.session_over")
    if scenario == "accept_dead_once":
        eventually(lambda: set(given_up) & set(world.kinds(call["id"])), f"{first} is given up", 30)

    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])
    call, told = ended(world, call, "caller")
    assert call["failure_stage"] == stage
    assert [leg["was_answered"] for leg in told.legs(ai=True)] == [False, True]
    assert told.legs(ai=False) == []


@pytest.mark.parametrize("scenario", ["webhook_answer_lost", "accept_409", "accept_429_once", "accept_500_once"])
def test_what_goes_wrong_for_a_moment_costs_nobody_his_call(world: World, scenario: str) -> None:
    call = known(world, scenario, conversation="withheld_long")
    world.until(call["id"], lambda seen: seen["state"] == "live" and seen["transcript"], "live, with words", 30)
    eventually(lambda: story(world, call["carrier"]["call_sid"]).reached_ai, "the AI talks to the caller")

    world.hang_up_caller(call["carrier"]["call_sid"])

    call, told = ended(world, call, "caller")
    assert call["failure_stage"] is None
    assert len(told.legs(ai=True)) == 1
    assert len(told.asked("accept")) == (2 if scenario.endswith("_once") else 1)
    assert len(told.openai("webhook.answered")) == (2 if scenario == "webhook_answer_lost" else 1)


def test_a_webhook_delivered_three_times_at_once_is_taken_each_time_and_acted_upon_once(world: World) -> None:
    call = known(world, "webhook_thrice", conversation="withheld_long")
    world.until(call["id"], lambda seen: seen["state"] == "live" and seen["transcript"], "live, with words", 30)

    world.hang_up_caller(call["carrier"]["call_sid"])

    call, told = ended(world, call, "caller")
    assert [entry["status"] for entry in told.openai("webhook.answered")] == [200] * 3
    assert told.asked("accept") == [200]
    assert len(lines(world, call, "openai.webhook")) == 1


def test_a_ghost_is_ended_and_its_caller_counts_as_one_who_left(world: World) -> None:
    call = known(world, "ghost", accept_latency_s=2.0, caller_hangs_up_while_ringing=False)
    eventually(lambda: "us.accept_asked" in world.kinds(call["id"]), "the accept is on its way")
    world.hang_up_caller(call["carrier"]["call_sid"])
    call, told = ended(world, call, "caller")
    assert call["failure_stage"] == "caller_left"

    eventually(lambda: story(world, call["carrier"]["call_sid"]).openai("sip.over"), "the ghost is gone", 60)
    over = story(world, call["carrier"]["call_sid"])
    assert over.openai("sip.over")[0]["how"] in ("hung up by the client", "refused with 603")
    assert 200 in over.asked("hangup"), "whether OpenAI took the webhook's answer in before or after: we ended it"
    after = world.until(call["id"], lambda seen: seen["ai"]["session"] == "closed", "the session is closed")
    assert (after["state"], after["failure_stage"]) == ("ended", "caller_left")
    assert told.hung_up and not told.reached_ai


@pytest.mark.parametrize(
    ("scenario", "code"), [("sideband_drops", 1006), ("sideband_drops_1011", 1011), ("sideband_drops_1012", 1012)]
)
def test_a_sideband_that_closes_while_the_call_lives_is_opened_again(world: World, scenario: str, code: int) -> None:
    call = known(world, scenario, conversation="withheld_long")
    eventually(lambda: [body["again"] for body in lines(world, call, "openai.sideband_open")] == [False, True], "again")

    assert [body["code"] for body in lines(world, call, "openai.sideband_dropped")] == [code]
    assert world.call(call["id"])["state"] == "live"
    world.hang_up_caller(call["carrier"]["call_sid"])
    call, _ = ended(world, call, "caller")
    assert call["failure_stage"] is None


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012])
def test_however_the_sideband_closes_at_its_end_the_call_is_over(world: World, code: int) -> None:
    call = known(world, f"sideband_ends_{code}", conversation="withheld_long")
    world.until(call["id"], lambda seen: seen["transcript"], "words")

    world.hang_up_caller(call["carrier"]["call_sid"])

    call, _ = ended(world, call, "caller")
    closed = world.until(call["id"], lambda seen: seen["ai"]["session"] == "closed", "the session is closed")
    assert closed["failure_stage"] is None


def test_who_is_cut_off_when_the_session_expires_is_led_to_a_human(world: World) -> None:
    call, told = ended(world, known(world, "session_expires", conversation="withheld_long"), "human")

    assert [body["code"] for body in lines(world, call, "openai.sideband_dropped")] == [1001]
    assert call["failure_stage"] is None
    assert (told.reached_ai, told.reached_human, told.hung_up) == (True, True, False)


@pytest.mark.parametrize("scenario", ["callbacks_shuffled", "callbacks_duplicated", "callbacks_lost"])
def test_unreliable_callbacks_leave_no_call_wrong(world: World, scenario: str) -> None:
    call = known(world, scenario, conversation="withheld_long", human_talks_s=16.0)
    world.until(call["id"], lambda seen: seen["state"] == "live", "live")
    asked = world.transfer(call["id"], policy="redirect_only")

    call, told = ended(world, call, "human")

    transfer = world.http.get(f"/api/transfers/{asked['id']}").json()
    assert (transfer["state"], transfer["mechanism"], transfer["outcome"]) == ("settled", "redirect", "connected")
    assert told.reached_human


def test_a_caller_who_leaves_without_any_word_of_it_is_found_out(world: World) -> None:
    call = known(world, "callbacks_all_lost", conversation="withheld_long")
    world.until(call["id"], lambda seen: seen["transcript"], "words")

    world.hang_up_caller(call["carrier"]["call_sid"])

    call, _ = ended(world, call, "unknown")
    assert (lines(world, call, "carrier.looked_up")[-1]["repaired"], call["failure_stage"]) == (True, None)
