"""Every race of a transfer (contract Twilio 3.3): what is true afterwards, and what a supervisor reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.proofs import events_of, human_legs, kinds_of, moved, prove
from tests.flows.world import World

pytestmark = pytest.mark.story

QUICK: dict[str, Any] = {"accept_latency_s": 0.1, "human_answers_after_s": 0.6}
PATIENT = {**QUICK, "to_number": "+15550104"}
"""On a line that gives a REFER thirty seconds."""
DIALLED = ["document_fetched", "human_connected"]


def test_a_caller_who_left_just_before_the_redirect_is_not_asked_for_again(world: World) -> None:
    with world.calling("redirect_gone", **QUICK) as call:
        settled = moved(world, call)
        transfer = world.transfer_until(
            settled["id"], lambda seen: seen["redirect"]["error_code"], "the refusal is known"
        )

        prove(
            world,
            call,
            transfer,
            mechanism="none",
            outcome="caller_left",
            evidence=["redirect_answered", "caller_left"],
            says=["The caller hung up", "before a human was connected"],
            rings=0,
        )
        assert transfer["redirect"]["error_code"] == 21220
        assert world.kinds(call["id"]).count("us.redirect_asked") == 1


def test_when_the_ai_leaves_before_the_redirect_the_dial_action_takes_the_caller_on(world: World) -> None:
    with world.calling("ai_leaves_before_redirect", **PATIENT) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="dial_action",
            evidence=DIALLED,
            says=["when the AI's leg ended", "connected"],
        )
        assert transfer["redirect"] is None
        assert "us.rescued" not in world.kinds(call["id"])


def test_the_action_asked_for_by_a_redirect_rings_nobody_and_openai_is_never_told_to_hang_up(world: World) -> None:
    with world.calling("happy_silent_refer", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(
            world, call, transfer, mechanism="redirect", evidence=DIALLED, says=["Twilio fetched the transfer document"]
        )
        assert "carrier.dial_ended" in world.kinds(call["id"])
        assert "us.rescued" not in world.kinds(call["id"])
        assert hangups(world, call) == 0


def test_when_the_ai_leaves_while_a_redirect_is_in_flight_the_caller_is_held_until_it_lands(world: World) -> None:
    with world.calling("ai_leaves_during_redirect", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(world, call, transfer, mechanism="redirect", evidence=DIALLED)
        assert fetches(world, call) == ["redirect"]


def test_when_the_ai_leaves_and_the_redirect_is_lost_the_dial_action_takes_the_caller_on(world: World) -> None:
    with world.calling("ai_leaves_redirect_lost", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(world, call, transfer, mechanism="dial_action", evidence=DIALLED, says=["when the AI's leg ended"])
        assert world.kinds(call["id"]).count("us.redirect_asked") == 1


def test_when_the_carrier_answers_nothing_but_500_openai_ends_its_leg_and_the_dial_action_works(world: World) -> None:
    with world.calling("carrier_rest_down", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(
            world,
            call,
            transfer,
            mechanism="dial_action",
            evidence=["redirect_answered", *DIALLED],
            says=["Twilio refused the redirect 3 times (500).", "when the AI's leg ended", "connected"],
        )
        assert hangups(world, call) == 1
        assert "us.rescued" not in world.kinds(call["id"])


def test_an_assistant_who_ends_the_call_before_the_redirect_does_not_take_the_caller_along(world: World) -> None:
    with world.calling("assistant_ends", **PATIENT, speed=4.0, human_talks_s=200.0) as call:
        transfer = moved(world, call)

        prove(world, call, transfer, mechanism="dial_action", evidence=DIALLED, says=["when the AI's leg ended"])
        assert transfer["redirect"] is None
        assert hangups(world, call) == 1
        assert world.call(call["id"])["state"] == "with_human"


def test_a_redirect_that_took_effect_without_an_answer_is_not_repeated(world: World) -> None:
    with world.calling("redirect_lost_answer", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(world, call, transfer, mechanism="redirect", evidence=DIALLED)
        assert world.kinds(call["id"]).count("us.redirect_asked") == 1


def test_a_lost_redirect_is_looked_into_before_it_is_repeated(world: World) -> None:
    with world.calling("redirect_lost_once", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["redirect_unanswered", *DIALLED],
            says=["The redirect's answer was lost once.", "Twilio fetched the transfer document"],
        )
        steps = ("us.redirect_asked", "carrier.looked_up")
        assert [kind for kind in world.kinds(call["id"]) if kind in steps] == [steps[0], steps[1], steps[0]]


def test_a_document_that_is_asked_for_late_is_waited_for_because_the_ai_is_gone_already(world: World) -> None:
    with world.calling("redirect_slow_fetch", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(world, call, transfer, mechanism="redirect", evidence=["redirect_answered", *DIALLED])
        assert world.kinds(call["id"]).count("us.redirect_asked") == 1


@pytest.mark.parametrize(
    ("scenario", "tries", "status"),
    [
        ("redirect_429_once", 2, 429),
        ("redirect_429_twice", 3, 429),
        ("redirect_500_once", 2, 500),
        ("redirect_500_twice", 3, 500),
    ],
)
def test_a_redirect_refused_for_a_moment_is_asked_again(world: World, scenario: str, tries: int, status: int) -> None:
    with world.calling(scenario, **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        says = f"Twilio refused the redirect {'once' if tries == 2 else 'twice'} ({status}"
        prove(world, call, transfer, mechanism="redirect", evidence=["redirect_answered", *DIALLED], says=[says])
        asked = events_of(world, call, "us.redirect_asked")
        answered = events_of(world, call, "carrier.redirect_answered")
        assert len(asked) == tries
        assert [event["body"]["status"] for event in answered] == [status] * (tries - 1) + [200]
        assert {event["body"]["retry_after_s"] for event in answered[:-1]} == {1 if status == 429 else None}


@pytest.mark.parametrize(("scenario", "refused"), [("redirect_429", "429/20429"), ("redirect_500", "500")])
def test_when_every_redirect_is_refused_the_ais_leg_is_ended_and_the_dial_action_rings_the_human(
    world: World, scenario: str, refused: str
) -> None:
    with world.calling(scenario, **QUICK) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="dial_action",
            evidence=["deadline_passed", "redirect_answered", *DIALLED],
            says=[f"Twilio refused the redirect 3 times ({refused}).", "when the AI's leg ended"],
        )
        assert world.kinds(call["id"]).count("us.redirect_asked") == 3
        assert transfer["redirect"]["http_status"] == int(refused[:3])


def test_when_every_redirect_is_lost_the_ais_leg_is_ended_and_the_dial_action_rings_the_human(world: World) -> None:
    with world.calling("redirect_hangs", **QUICK) as call:
        transfer = moved(world, call, policy="redirect_only")

        prove(
            world,
            call,
            transfer,
            mechanism="dial_action",
            evidence=["redirect_unanswered", *DIALLED],
            says=["The redirect's answer was lost 3 times.", "when the AI's leg ended"],
        )


def test_a_refer_that_arrives_while_the_redirect_is_being_sent_leads_to_one_human_and_both_are_on_record(
    world: World,
) -> None:
    with world.calling(
        "refer_meets_redirect", **QUICK | {"human_answers_after_s": 4.0}, redirect_latency_s=1.5
    ) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["deadline_passed", "refer_seen", *DIALLED],
            says=["after the deadline", "Twilio fetched the transfer document"],
            rings=2,
        )
        assert human_legs(world, call)[0]["status"] == "canceled"
        assert fetches(world, call) == ["redirect"]


def test_a_refer_whose_human_still_rings_at_the_deadline_is_left_alone(world: World) -> None:
    with world.calling("refer_works_human_slow", to_number="+15550105", accept_latency_s=0.1) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="refer",
            evidence=["refer_seen", "human_connected"],
            says=["seen by the carrier"],
        )
        assert transfer["redirect"] is None
        assert "us.redirect_asked" not in world.kinds(call["id"])


def test_a_refer_that_leaves_after_the_redirect_meets_nobody(world: World) -> None:
    with world.calling("refer_late", **QUICK, refer_late_by_s=30.0) as call:
        transfer = moved(world, call)
        assert world.stage.post(f"/_stage/calls/{call['carrier']['call_sid']}/refer").status_code == 200

        prove(world, call, transfer, mechanism="redirect", evidence=["deadline_passed", *DIALLED])
        assert "refer_seen" not in kinds_of(transfer)
        assert "carrier.refer" not in world.kinds(call["id"])


def test_the_sid_of_the_ais_own_leg_is_never_redirected(world: World) -> None:
    with world.calling("wrong_leg", **QUICK, from_number="+15550178") as call:
        sid = call["carrier"]["call_sid"]
        joined = world.until(call["id"], lambda seen: seen["correlation"]["confidence"] == "exact", "joined for sure")
        offered = events_of(world, call, "openai.webhook")
        transfer = moved(world, call, policy="redirect_only")

        prove(world, call, transfer, mechanism="redirect", evidence=["document_fetched"])
        ai_leg = world.legs(sid)[0]["call_sid"]
        assert joined["correlation"]["method"] == "carrier_sid"
        assert ai_leg in str(offered[0]["body"]["sip_headers"])
        asked = events_of(world, call, "us.redirect_asked")
        assert [event["body"]["sid"] for event in asked] == [sid]
        assert "redirected" in world.notes(sid)
        assert "redirected" not in world.notes(ai_leg)


def fetches(world: World, call: dict) -> list[str]:
    """By which ways the carrier took the transfer document by its own request."""
    return [event["body"]["via"] for event in events_of(world, call, "carrier.document")]


def hangups(world: World, call: dict) -> int:
    """How often OpenAI was told to hang up."""
    record = world.record(call["carrier"]["call_sid"])["openai"]
    return sum(entry["kind"] == "http" and entry["path"].endswith("/hangup") for entry in record)
