"""Silent lines, empty promises, halves and ends, as a supervisor sees them while the calls go on."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from tests.flows.world import SECRETS, World, eventually

pytestmark = pytest.mark.story

DEAD_AIR = "the assistant does not answer"
SILENT = "the caller is silent"
SAID_NOT_DONE = "The assistant said it is transferring; nothing was started."


def token(world: World) -> str:
    return str(world.browser.cookies["csrftoken"])


def announce(world: World, ai_call_id: str, caller: str) -> None:
    """OpenAI tells of a call whose INVITE named no leg and no reference."""
    headers = [("From", f"<sip:{caller}@pstn.example.com>"), ("To", "<sip:proj@sip.api.openai.com>")]
    sip_headers = [{"name": name, "value": value} for name, value in headers]
    at = datetime.now(UTC)
    event = {
        "id": f"evt_{ai_call_id}",
        "object": "event",
        "created_at": int(at.timestamp()),
        "type": "realtime.call.incoming",
        "data": {"call_id": ai_call_id, "sip_headers": sip_headers},
    }
    body, name = json.dumps(event), f"wh_{ai_call_id}"
    signature = Webhook(SECRETS["OPENAI_WEBHOOK_SECRET"]).sign(name, at, body)
    signed = {"webhook-id": name, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    sent = {**signed, "content-type": "application/json"}
    assert httpx.post(f"{world.app_url}/webhooks/openai", content=body, headers=sent, timeout=20).status_code == 200


def page(world: World, call_id: str) -> str:
    return world.browser.get(f"/calls/{call_id}/").text


def row(world: World, call_id: str) -> str:
    """The call's row on the board."""
    found = re.search(rf'<li id="row-{call_id}".*?</li>', world.browser.get("/").text, re.DOTALL)
    return found[0] if found else ""


def test_a_caller_who_says_nothing_is_told_from_an_assistant_who_does_not_answer(
    world: World,
) -> None:
    silent = world.live("silent_caller", speed=4)
    dead = world.live("dead_air", speed=4, caller_patience_s=90)

    eventually(lambda: DEAD_AIR in page(world, dead["id"]), "dead air on the page", 40)
    eventually(lambda: DEAD_AIR in row(world, dead["id"]), "dead air on the board")
    assert DEAD_AIR not in page(world, silent["id"])
    eventually(lambda: "clock.dead_air" in world.kinds(dead["id"]), "dead air on the timeline")
    (told,) = [event for event in world.events(dead["id"]) if event["kind"] == "clock.dead_air"]
    assert told["body"]["seconds"] >= 12
    assert "clock.dead_air" not in world.kinds(silent["id"])


def test_a_silent_caller_is_a_note_and_no_alarm(world: World) -> None:
    call = world.live("silent_caller", speed=1)

    eventually(lambda: SILENT in page(world, call["id"]), "the caller is silent", 40)

    assert SILENT in row(world, call["id"])
    assert "clock.dead_air" not in world.kinds(call["id"])
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_an_empty_promise_is_shown_and_one_click_keeps_it(world: World) -> None:
    call = world.live("said_not_done", speed=4, human_answers_after_s=1)

    eventually(lambda: SAID_NOT_DONE in row(world, call["id"]), "the promise on the board", 40)
    eventually(lambda: "clock.said_not_done" in world.kinds(call["id"]), "the promise on the timeline")
    assert world.call(call["id"])["transfers"] == [], "nothing acts by itself"

    notice = page(world, call["id"])
    button = re.search(r'name="destination" value="(\w+)">Transfer to Front desk', notice)
    key = re.search(r'id="transfer-key" value="(\w+)"', notice)
    assert button and key
    sent = {"csrfmiddlewaretoken": token(world), "key": key[1], "destination": ["medical_priority", button[1]]}
    assert world.browser.post(f"/calls/{call['id']}/transfer", data=sent).status_code == 200

    connected = world.until(call["id"], lambda seen: seen["state"] == "with_human", "with the front desk", 40)
    assert connected["transfers"][0]["destination"]["name"] == "frontdesk"
    assert SAID_NOT_DONE not in page(world, call["id"])
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_an_assistant_that_keeps_its_promise_is_not_accused(world: World) -> None:
    call = world.live("assistant_transfers", speed=4, human_answers_after_s=1)

    world.until(call["id"], lambda seen: seen["state"] == "with_human", "with the front desk", 60)

    assert "clock.said_not_done" not in world.kinds(call["id"])
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_a_caller_who_leaves_is_said_to_have_ended_the_call_and_whom_it_cut_off(
    world: World,
) -> None:
    call = world.live("happy_silent_refer", speed=1)
    greeted = "the greeting is made, and is still being heard"
    world.until(call["id"], lambda seen: any(turn["final"] for turn in seen["transcript"]), greeted)

    world.hang_up_caller(call["carrier"]["call_sid"])

    world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "the caller ended it")
    eventually(lambda: "the assistant was speaking" in page(world, call["id"]), "the assistant was cut off")
    assert "The caller&#x27;s leg ended first, at" in page(world, call["id"])


def test_an_assistant_whose_leg_ends_by_itself_is_an_incident_and_the_caller_is_led_on(
    world: World,
) -> None:
    call = world.live("happy_silent_refer", speed=2, human_answers_after_s=3)
    world.until(call["id"], lambda seen: bool(seen["transcript"]), "the assistant speaks")

    key = {"Authorization": f"Bearer {SECRETS['OPENAI_API_KEY']}"}
    ended = world.stage.post(f"/v1/realtime/calls/{call['ai']['call_id']}/hangup", headers=key)
    assert ended.status_code == 200, ended.text

    eventually(lambda: "us.ai_left" in world.kinds(call["id"]), "the incident is told")
    world.until(call["id"], lambda seen: seen["state"] == "with_human", "the fallback answered", 30)
    world.hang_up_caller(call["carrier"]["call_sid"])
    world.until(call["id"], lambda seen: seen["ended_by"] == "caller", "the caller ended it")
    assert "leg had ended by itself" in page(world, call["id"])


def test_two_halves_that_nothing_joins_are_both_shown_and_linked_by_hand(world: World) -> None:
    sid = world.ring("webhook_never", webhook_delay_s=60.0, from_number="+15550151")
    half = eventually(lambda: world.call_of(sid), "the caller is known")
    announce(world, f"rtc_{sid[-8:]}", "+15550152")
    found = world.http.get("/api/calls", params={"q": f"rtc_{sid[-8:]}"}).json()["items"]
    (other,) = found

    eventually(lambda: "no AI call known" in page(world, half["id"]), "the carrier's half says so")
    assert "no carrier leg known" in page(world, other["id"])
    assert f'id="candidate-{half["id"]}"' in page(world, other["id"])
    before = len(world.events(half["id"])) + len(world.events(other["id"]))

    sent = {"csrfmiddlewaretoken": token(world), "other": half["id"], "why": "Same time, second line of the caller"}
    answer = world.browser.post(f"/calls/{other['id']}/link", data=sent)

    assert (answer.status_code, answer.url.path) == (200, f"/calls/{half['id']}/")
    joined = world.call(half["id"])
    assert joined["correlation"] == {"method": "manual", "confidence": "exact"}
    assert joined["ai"]["call_id"] == f"rtc_{sid[-8:]}"
    assert len(world.events(half["id"])) > before, "no event is lost"
    assert world.browser.get(f"/calls/{other['id']}/").url.path == f"/calls/{half['id']}/"
    assert world.call(other["id"])["id"] == half["id"]
