from __future__ import annotations

import json
from pathlib import Path

import pytest

from callops.simulator.twilio.calls import Call
from tests.simulator.twilio.theatre import ACCOUNT, Theatre, theatre, twiml

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"


async def trunk_call(t: Theatre, **changes: object) -> Call:
    return await t.live_call(topology="trunk", **changes)


async def test_a_trunk_call_makes_no_webhooks_and_its_invite_carries_its_own_sid() -> None:
    async with theatre() as t:
        call = await trunk_call(t)
        t.ai.dialogs[0].carrier.bye()
        await t.ended(call)

        headers = dict(t.ai.dialogs[0].invite.headers)
        assert t.app.seen == []
        assert headers["X-Twilio-CallSid"] == call.sid
        assert "pstn.twilio.com" in headers["From"] and "+15550100" in headers["To"]
        assert headers["X-Twilio-VerStat"]


async def test_a_live_trunk_call_is_hidden_and_cannot_be_redirected() -> None:
    async with theatre() as t:
        call = await trunk_call(t)
        _, listed, _ = await t.rest("GET", f"{CALLS}.json")
        read, _, _ = await t.rest("GET", f"{CALLS}/{call.sid}.json")
        redirected, error, _ = await t.update(call, Url=f"{t.app_url}/transfer")
        t.stage.hang_up_caller(call.sid)
        _, ended, _ = await t.rest("GET", f"{CALLS}/{call.sid}.json")

        assert (listed["calls"], read) == ([], 404)
        assert (redirected, error["code"]) == (400, 21220)
        assert ended.keys() == json.loads((CONTRACTS / "trunk-call-get-completed.json").read_text()).keys()
        assert ended["direction"] == "trunking-originating" and ended["trunk_sid"]
        assert t.ai.dialogs[0].said == ["bye"]


async def test_a_refer_on_a_trunk_shows_as_a_child_call_and_the_ai_goes_when_the_human_answers() -> None:
    async with theatre() as t:
        call = await trunk_call(t, human_talks_s=100000.0)
        t.ai.dialogs[0].carrier.refer("<tel:+15550111>")
        await t.until(lambda: t.ai.dialogs[0].said == ["bye"])
        _, listed, _ = await t.rest("GET", f"{CALLS}.json?ParentCallSid={call.sid}")
        parent, _, _ = await t.rest("GET", f"{CALLS}/{call.sid}.json")

        (child,) = listed["calls"]
        assert (child["to"], child["from"], child["status"]) == ("+15550111", "+15550123", "in-progress")
        assert child["direction"] == "trunking-originating" and child["trunk_sid"]
        assert parent == 200 and not call.ended


async def test_a_human_who_does_not_answer_on_a_trunk_leaves_the_caller_with_the_ai() -> None:
    async with theatre() as t:
        call = await trunk_call(t, human="busy", caller_patience_s=100000.0)
        t.ai.dialogs[0].carrier.refer("tel:+15550111")
        await t.until(lambda: "back_to_ai" in t.notes(call))

        assert t.ai.dialogs[0].said == [] and not call.ended


@pytest.mark.parametrize(
    ("mode", "target", "carried_out"),
    [
        ("disable-all", "tel:+15550111", False),
        ("sip-only", "tel:+15550111", False),
        ("sip-only", "sip:desk@house.example.com", True),
        ("enable-all", "sip:+15550111@house.pstn.twilio.com", True),
    ],
)
async def test_the_transfer_mode_decides_what_becomes_of_a_refer(mode: str, target: str, carried_out: bool) -> None:
    async with theatre() as t:
        call = await trunk_call(t, trunk_transfer_mode=mode, human_talks_s=100000.0)
        t.ai.dialogs[0].carrier.refer(target)
        await t.until(lambda: t.children(call) or t.alerts())
        _, trunk, _ = await t.rest("GET", f"/v1/Trunks/{call.trunk_sid}")

        assert bool(t.children(call)) is carried_out
        assert t.alerts() == ([] if carried_out else [32218])
        assert trunk.keys() == json.loads((CONTRACTS / "trunk-get.json").read_text()).keys()
        assert trunk["transfer_mode"] == mode


async def test_a_failed_origination_is_a_warning_and_the_end() -> None:
    async with theatre() as t:
        t.ai.refuses = 503

        call = t.call(topology="trunk")
        await t.ended(call)

        assert (call.status, t.alerts()) == ("failed", [32011])


async def test_a_failed_origination_goes_to_the_disaster_recovery_url() -> None:
    async with theatre(disaster_recovery_url="/recovery") as t:
        t.ai.refuses = 503
        t.app.answers["/recovery"] = twiml('<Pause length="600"/>')

        call = t.call(topology="trunk")
        seen = await t.seen("/recovery")

        assert seen.signed and seen.params["Direction"] == "inbound" and seen.params["To"] == "+15550100"
        t.stage.hang_up_caller(call.sid)
        await t.ended(call)
