from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from tests.simulator.twilio.theatre import ai_dial, human_dial, theatre, twiml

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"
TARGET = "tel:+15550111"
SLOW_HUMAN = {"human_talks_s": 100000.0}


async def nothing(request: web.Request, params: Mapping[str, str]) -> web.Response:
    return web.Response(status=500)


async def test_a_refer_asks_its_url_with_the_target_in_brackets_about_the_callers_leg() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/refer"] = human_dial()

        call = await t.live_call(**SLOW_HUMAN)
        t.ai.dialogs[0].carrier.refer(TARGET)
        refer = await t.seen("/refer")

        assert refer.signed
        assert refer.params.keys() == json.loads((CONTRACTS / "refer.json").read_text()).keys()
        assert refer.params["ReferTransferTarget"] == "<tel:+15550111>"
        assert (refer.params["CallSid"], refer.params["CallStatus"]) == (call.sid, "in-progress")


@pytest.mark.parametrize("told", [True, False])
async def test_with_answer_on_bridge_the_ai_stays_until_the_human_answers(told: bool) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml("<Hangup/>")
        t.app.answers["/refer"] = human_dial()
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = await t.live_call(human_answers_after_s=20.0, action_after_refer=told)
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: len(t.children(call)) == 2)
        ai_leg, human_leg = t.children(call)
        assert ai_leg.status == "in-progress"
        await t.until(lambda: human_leg.status == "in-progress")
        await t.until(lambda: t.ai.dialogs[0].said == ["bye"] and ai_leg.ended)
        await t.ended(call)

        assert t.app.at("/human-action")[0].params["DialBridged"] == "true"
        assert len(t.app.at("/action")) == int(told)


@pytest.mark.parametrize("human", ["busy", "no_answer", "fails"])
async def test_with_answer_on_bridge_a_human_who_cannot_be_had_gives_the_caller_back_to_the_ai(human: str) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml("<Hangup/>")
        t.app.answers["/refer"] = human_dial('action="/human-action" timeout="5"')
        t.app.answers["/human-action"] = twiml("<Say>This is never heard.</Say>")

        call = await t.live_call(human=human, **SLOW_HUMAN)
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: "back_to_ai" in t.notes(call))
        told = await t.seen("/human-action")
        assert t.ai.dialogs[0].said == [] and not call.ended
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: len(t.children(call)) == 3 and t.ai.dialogs[0].said == ["bye"])

        assert told.params["DialBridged"] == "false"
        assert "said" not in t.notes(call)
        assert t.children(call)[2].status == "in-progress"


async def test_with_answer_on_bridge_an_unreachable_refer_url_leaves_the_caller_with_the_ai() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/refer"] = nothing

        call = await t.live_call()
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: "back_to_ai" in t.notes(call))

        assert t.alerts() == [11200]
        assert t.ai.dialogs[0].said == [] and not call.ended


async def test_without_answer_on_bridge_the_ai_goes_right_after_the_fetch() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial('action="/action" referUrl="/refer"')
        t.app.answers["/refer"] = human_dial()
        t.app.answers["/human-action"] = twiml("<Say>Nobody is there.</Say><Hangup/>")

        call = await t.live_call(human="busy")
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.ended(call)

        assert t.ai.dialogs[0].said == ["bye"]
        assert t.app.at("/human-action")[0].params["DialCallStatus"] == "busy"
        assert "said" in t.notes(call)


async def test_without_answer_on_bridge_an_unreachable_refer_url_loses_the_caller() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial('action="/action" referUrl="/refer"')
        t.app.answers["/refer"] = nothing

        call = await t.live_call()
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.ended(call)

        assert t.ai.dialogs[0].said == ["bye"]


async def test_without_a_refer_url_an_alert_is_all_that_happens() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial('action="/action" answerOnBridge="true"')

        call = await t.live_call()
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: t.alerts() == [13802])

        assert t.ai.dialogs[0].said == [] and not call.ended


async def test_a_refer_after_a_redirect_meets_a_dead_dialog() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/transfer"] = twiml('<Pause length="600"/>')

        call = await t.live_call()
        await t.update(call, Url=f"{t.app_url}/transfer")
        await t.seen("/transfer")
        t.ai.dialogs[0].carrier.refer(TARGET)

        assert "refer_ignored" in t.notes(t.children(call)[0])
        assert t.app.at("/refer") == []


async def test_a_redirect_while_the_human_of_a_refer_rings_cuts_that_ring_and_the_ai() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/refer"] = human_dial()
        t.app.answers["/transfer"] = human_dial('action="/second"')

        call = await t.live_call(human="no_answer", **SLOW_HUMAN)
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: len(t.children(call)) == 2)
        await t.update(call, Url=f"{t.app_url}/transfer")
        await t.until(lambda: len(t.children(call)) == 3 and t.children(call)[2].status == "in-progress")

        assert [child.status for child in t.children(call)] == ["completed", "canceled", "in-progress"]
        assert t.ai.dialogs[0].said == ["bye"]


async def test_an_ai_that_leaves_while_the_human_rings_cannot_be_gone_back_to() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/refer"] = human_dial()
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = await t.live_call(human="no_answer")
        t.ai.dialogs[0].carrier.refer(TARGET)
        await t.until(lambda: len(t.children(call)) == 2)
        t.ai.dialogs[0].carrier.bye()
        await t.ended(call)

        assert "back_to_ai" not in t.notes(call)
        assert t.app.at("/human-action")[0].params["CallStatus"] == "in-progress"
