"""The human's side of a transfer: who rang, who took the call, who did not, and what becomes of the caller."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from callops.transfers.strategies import SUMMARY_WAIT_S
from tests.flows.stories import story
from tests.flows.world import World, eventually

pytestmark = pytest.mark.story

RINGING_STOPS_WITHIN_S = 2.0
SUMMARY_MAY_TAKE = timedelta(seconds=SUMMARY_WAIT_S)
FAST = {"speed": 10, "conversation": "silent_caller"}


def is_settled(transfer: dict[str, Any]) -> bool:
    return bool(transfer["state"] == "settled")


def settled(world: World, transfer: dict[str, Any], within_s: float = 60) -> dict[str, Any]:
    return world.transfer_until(transfer["id"], is_settled, "settled", within_s)


def bodies(world: World, call: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event["body"] for event in world.events(call["id"]) if event["kind"] == kind]


def human_legs(world: World, call: dict[str, Any]) -> list[str]:
    """The legs made for this caller that lead to people, oldest first."""
    told = story(world, call["carrier"]["call_sid"])
    return [leg["call_sid"] for leg in told.legs(ai=False) if "proj_" not in leg["to"]]


def befell(world: World, call: dict[str, Any], sid: str, event: str) -> list[dict[str, Any]]:
    """What the stage's carrier wrote down of one of this caller's legs."""
    entries = story(world, call["carrier"]["call_sid"]).told["twilio"]
    mine = [entry for entry in entries if entry["kind"] == "leg" and entry["call_sid"] == sid]
    return [entry for entry in mine if entry["event"] == event]


def said_to(world: World, call: dict[str, Any], sid: str) -> str:
    return " ".join(entry["text"] for entry in befell(world, call, sid, "said"))


def has_ended(world: World, call: dict[str, Any], sid: str) -> bool:
    return bool(befell(world, call, sid, "ended"))


def silent_after_s(world: World, call: dict[str, Any], human: str) -> float:
    """Seconds by the carrier's own clock from the caller's hanging up to the end of the human's leg."""
    (left,) = befell(world, call, call["carrier"]["call_sid"], "caller_hangs_up")
    ended = eventually(lambda: befell(world, call, human, "ended"), "the human's phone is silent")
    return float(ended[0]["t"] - left["t"])


def test_a_person_hears_what_it_is_about_presses_1_and_is_connected(world: World) -> None:
    call = world.live("refer_works", human_answers_after_s=1)
    world.until(call["id"], lambda seen: any(turn["speaker"] == "caller" for turn in seen["transcript"]), "words", 40)

    done = settled(world, world.transfer(call["id"], "billing"))

    assert (done["mechanism"], done["outcome"]) == ("refer", "connected")
    assert "Billing desk pressed 1 and was connected" in done["because"]
    kinds = [row["kind"] for row in done["evidence"]]
    assert "human_connected" not in kinds
    assert kinds.index("screening") < kinds.index("accepted_by_key")
    (summary,) = bodies(world, call, "openai.summary")
    question = said_to(world, call, human_legs(world, call)[0])
    assert question.startswith("Press 1 to take the call. What the caller asked about: ")
    assert summary["text"][:40] in question
    assert all(turn["text"] != summary["text"] for turn in world.call(call["id"])["transcript"])
    world.until(call["id"], lambda seen: seen["state"] in ("with_human", "ended"), "with a human")


def test_a_picked_up_phone_is_not_with_a_human_before_the_key(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=0.5)

    asked = world.transfer(call["id"], "billing", policy="redirect_only")
    eventually(lambda: "carrier.screening" in world.kinds(call["id"]), "the question is asked", 30)
    state = world.call(call["id"])["state"]
    pressed_meanwhile = "human.pressed" in world.kinds(call["id"])
    done = settled(world, asked)

    assert state == "transferring" or pressed_meanwhile
    assert done["outcome"] == "connected"
    key = next(event for event in world.events(call["id"]) if event["kind"] == "human.pressed")
    assert done["human_connected_at"] == key["at"]


def test_a_redirect_gives_the_summary_a_moment_because_it_ends_the_ai(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=0.5)

    done = settled(world, world.transfer(call["id"], "billing", policy="redirect_only"))

    assert (done["mechanism"], done["outcome"]) == ("redirect", "connected")
    first = {event["kind"]: event["at"] for event in reversed(world.events(call["id"]))}
    redirected = datetime.fromisoformat(first["us.redirect_asked"])
    waited = redirected - datetime.fromisoformat(first["us.summary_asked"])
    came = first.get("openai.summary")
    assert (came and datetime.fromisoformat(came) <= redirected) or waited >= SUMMARY_MAY_TAKE


def test_a_transfer_the_assistant_sums_up_itself_asks_for_no_summary(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=0.5)

    settled(world, world.transfer(call["id"], "frontdesk"))

    assert "us.summary_asked" not in world.kinds(call["id"])


def test_a_mailbox_that_presses_nothing_took_nobody(world: World) -> None:
    call = world.live("human_voicemail", **FAST)

    done = settled(world, world.transfer(call["id"], "billing"))

    assert done["outcome"] == "no_answer"
    assert "Billing desk: answered but nobody took the call" in done["because"]
    assert "with_human" not in json.dumps(world.events(call["id"]))
    world.until(call["id"], lambda seen: seen["state"] == "live", "back with the assistant", 40)
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_after_a_mailbox_the_next_destination_rings(world: World) -> None:
    call = world.live("human_voicemail", human_talks_s=60, **FAST)

    done = settled(world, world.transfer(call["id"], "claims"))

    assert done["outcome"] == "connected"
    assert "On call connected" in done["because"]
    assert [body["label"] for body in bodies(world, call, "carrier.screening")] == ["Claims desk"]


def test_a_person_who_presses_another_key_declined(world: World) -> None:
    call = world.live("human_declines", human_talks_s=60, **FAST)

    done = settled(world, world.transfer(call["id"], "claims"))

    assert done["outcome"] == "connected"
    assert [(body["label"], body["key"], body["taken"]) for body in bodies(world, call, "human.pressed")] == [
        ("Claims desk", "2", False)
    ]


def test_a_number_that_fails_is_told_with_its_sip_code_and_the_next_rings(world: World) -> None:
    call = world.live("human_fails", second_human="busy", **FAST)

    done = settled(world, world.transfer(call["id"]))

    assert done["outcome"] == "busy"
    world.transfer_until(
        done["id"],
        lambda seen: (
            "Front desk: failed with SIP 404" in seen["because"] and "On call: busy (SIP 486)" in seen["because"]
        ),
        "the SIP codes in words",
    )
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_nobody_answers_and_the_new_assistant_is_told_whom_we_tried(world: World) -> None:
    call = world.live("nobody_answers", **FAST)

    done = settled(world, world.transfer(call["id"]))
    assert done["outcome"] == "busy"
    back = world.until(
        call["id"], lambda seen: seen["state"] == "live" and seen["ai"]["call_id"] != call["ai"]["call_id"], "live", 40
    )

    path = f"/v1/realtime/calls/{back['ai']['call_id']}/accept"
    entries = story(world, call["carrier"]["call_sid"]).openai("http")
    (accept,) = [entry for entry in entries if entry["path"] == path]
    told = json.loads(accept["body"])["instructions"]
    assert "Front desk: no answer. On call: busy" in told
    assert "Apologise briefly" in told
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_after_a_refer_in_vain_the_same_assistant_has_the_caller_and_is_told(world: World) -> None:
    call = world.live("refer_works_human_busy")

    done = settled(world, world.transfer(call["id"]))
    assert (done["mechanism"], done["outcome"]) == ("refer", "busy")
    eventually(lambda: world.kinds(call["id"]).count("us.told_assistant") == 2, "told of the wait, and of its end")

    def heard() -> list[str]:
        record = world.record(call["carrier"]["call_sid"])["openai"]
        mine = [entry for entry in record if entry.get("call_id") == call["ai"]["call_id"]]
        return [entry["frame"] for entry in mine if entry["kind"] == "client_event"]

    eventually(lambda: any("Front desk: busy" in frame for frame in heard()), "OpenAI heard it")
    assert '"role":"system"' in next(frame for frame in heard() if "Front desk" in frame)
    eventually(lambda: json.loads(heard()[-1])["type"] == "response.create", "and is asked to speak")
    after = world.until(call["id"], lambda seen: seen["state"] == "live", "live")
    assert after["ai"]["call_id"] == call["ai"]["call_id"]
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_when_the_ai_cannot_be_had_again_the_caller_hears_an_apology_and_is_to_be_called_back(world: World) -> None:
    call = world.live("ai_refuses_again", from_number="+15550177", **FAST)

    done = settled(world, world.transfer(call["id"]))
    assert done["outcome"] == "busy"
    world.until(call["id"], lambda seen: seen["state"] == "ended", "over", 40)

    assert "will call you back" in said_to(world, call, call["carrier"]["call_sid"])
    assert bodies(world, call, "us.call_back_opened")[0]["number"] == "+15550177"
    page = world.browser.get("/callbacks/").text
    assert call["id"] in page
    task = page.split(f'href="/calls/{call["id"]}/"')[0].rpartition('id="call-back-')[2].partition('"')[0]
    token = world.browser.cookies["csrftoken"]
    answer = world.browser.post(f"/callbacks/{task}/done", data={"csrfmiddlewaretoken": token})
    assert answer.status_code == 200
    assert "operator.call_back_done" in world.kinds(call["id"])


def test_ringing_stops_at_once_when_the_caller_hangs_up(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=60)
    asked = world.transfer(call["id"], policy="redirect_only")
    eventually(lambda: human_legs(world, call), "the human rings")
    (human,) = human_legs(world, call)
    assert not has_ended(world, call, human)

    world.hang_up_caller(call["carrier"]["call_sid"])

    assert silent_after_s(world, call, human) < RINGING_STOPS_WITHIN_S
    assert settled(world, asked)["outcome"] == "caller_left"
    world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "the caller ended it")


def test_a_caller_who_hangs_up_while_the_question_is_asked_left(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=0.5)
    asked = world.transfer(call["id"], "billing", policy="redirect_only")
    eventually(lambda: "carrier.screening" in world.kinds(call["id"]), "the question is asked", 30)
    (human,) = human_legs(world, call)

    world.hang_up_caller(call["carrier"]["call_sid"])

    assert silent_after_s(world, call, human) < RINGING_STOPS_WITHIN_S
    assert settled(world, asked)["outcome"] == "caller_left"


def test_a_human_who_hangs_up_after_the_talk_ended_the_call(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=0.5, human_talks_s=1)

    done = settled(world, world.transfer(call["id"], policy="redirect_only"))
    ended = world.until(call["id"], lambda seen: seen["state"] == "ended", "over", 40)

    assert done["outcome"] == "connected"
    assert ended["ended_by"] == "human"
    assert "us.rescued" not in world.kinds(call["id"])
