from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from callops.simulator.scenario import Scenario
from tests.simulator.twilio.theatre import Theatre, ai_dial, human_dial, theatre, twiml

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"
SLOW_HUMAN = {"human_talks_s": 100000.0}


def url(t: Theatre, path: str = "/transfer") -> dict[str, str]:
    return {"Url": t.app_url + path, "Method": "POST"}


async def test_a_redirect_ends_the_ai_then_asks_the_action_in_vain_then_runs_the_new_document() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml("<Hangup/>")
        t.app.answers["/transfer"] = human_dial()

        call = await t.live_call(**SLOW_HUMAN)
        status, body, _ = await t.update(call, **url(t))
        await t.until(lambda: len(t.children(call)) == 2 and t.children(call)[1].status == "in-progress")

        ai_leg = t.children(call)[0]
        order = [
            (
                "child",
                next(e["t"] for e in t.stage.record if e.get("event") == "ended" and e["call_sid"] == ai_leg.sid),
            ),
            ("action", next(e["t"] for e in t.stage.record if e.get("purpose") == "action_ignored")),
            ("document", next(e["t"] for e in t.stage.record if e.get("purpose") == "redirect_by_rest")),
        ]
        assert status == 200 and body["status"] == "in-progress"
        assert order == sorted(order, key=lambda step: step[1])
        assert t.ai.dialogs[0].said == ["bye"]
        action = t.app.at("/action")[0].params
        assert action.keys() == set(json.loads((CONTRACTS / "redirected-dial-action.json").read_text()))
        assert (action["CallStatus"], action["DialCallStatus"]) == ("in-progress", "completed")
        assert t.app.at("/transfer")[0].signed and not call.ended


async def test_inline_twiml_redirects_too_and_the_last_of_two_redirects_wins() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/second"] = twiml('<Pause length="600"/>')

        call = await t.live_call()
        await t.update(call, **url(t, "/first"))
        await t.update(call, **url(t, "/second"))
        await t.seen("/second")
        await t.update(call, Twiml=twiml("<Say>Goodbye</Say><Hangup/>"))
        await t.ended(call)

        assert t.app.at("/first") == []
        assert "said" in t.notes(call)


async def test_inline_twiml_with_a_relative_url_is_taken_and_fails_with_15004() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()
        status, _, _ = await t.update(call, Twiml=human_dial())
        await t.ended(call)

        assert status == 200
        assert t.alerts() == [15004]


async def test_without_an_action_the_next_redirect_of_the_old_document_is_requested_in_vain() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial("").replace("</Response>", "<Redirect>/old</Redirect></Response>")
        t.app.answers["/old"] = twiml("<Hangup/>")
        t.app.answers["/transfer"] = twiml('<Pause length="600"/>')

        call = await t.live_call()
        await t.update(call, **url(t))
        await t.seen("/old")
        await t.seen("/transfer")

        assert not call.ended


async def test_a_redirected_child_takes_the_ai_along_and_leaves_the_caller_to_the_action() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml('<Pause length="600"/>')
        t.app.answers["/transfer"] = human_dial()

        call = await t.live_call(**SLOW_HUMAN)
        (child,) = t.children(call)
        await t.update(child, **url(t))
        action = await t.seen("/action")
        await t.until(lambda: len(t.children(child)) == 1)

        assert action.params["CallStatus"] == "in-progress"
        assert "DialCallDuration" not in action.params
        assert t.app.at("/transfer")[0].params["CallSid"] == child.sid
        assert t.ai.dialogs[0].said == [] and not child.ended


async def test_ending_the_ais_leg_by_rest_runs_the_action_for_the_caller() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml('<Pause length="600"/>')

        call = await t.live_call()
        status, body, _ = await t.update(t.children(call)[0], Status="completed")
        action = await t.seen("/action")

        assert (status, body["status"]) == (200, "completed")
        assert action.params["CallStatus"] == "in-progress" and not call.ended
        assert t.ai.dialogs[0].said == ["bye"]


async def test_ending_the_caller_by_rest_ends_every_leg() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()
        _, body, _ = await t.update(call, Status="completed")
        action = await t.seen("/action")
        again, error, _ = await t.update(call, Status="completed")

        assert body["status"] == "completed" and body["end_time"]
        assert action.params["CallStatus"] == "completed"
        assert (again, error) == (400, json.loads((CONTRACTS / "call-update-21220.json").read_text()))


@pytest.mark.parametrize(("answers", "ends"), [(False, True), (True, False)])
async def test_cancelling_by_rest_ends_only_a_caller_who_still_rings(answers: bool, ends: bool) -> None:
    async with theatre() as t:
        t.ai.answers = answers
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = t.call()
        await t.seen("/leg", 2)
        await t.until(lambda: (call.answered_at is not None) is answers)
        status, _, _ = await t.update(call, Status="canceled")

        assert (status, call.ended) == (200, ends)


async def test_a_parent_that_still_rings_cannot_be_redirected() -> None:
    async with theatre() as t:
        t.ai.answers = False
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = t.call()
        await t.seen("/leg")
        status, error, _ = await t.update(call, **url(t))

        assert (status, error["code"]) == (400, 21220)


async def test_a_refused_redirect_says_when_to_come_back_and_is_not_applied() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call(redirect="http_429")
        status, error, headers = await t.update(call, **url(t))

        assert (status, error) == (429, json.loads((CONTRACTS / "error-20429.json").read_text()))
        assert headers["Retry-After"] == "1"
        assert "redirected" not in t.notes(call)


async def test_a_server_error_has_an_html_body_and_the_ais_leg_can_still_be_ended() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = human_dial()

        call = await t.live_call(redirect="http_500", **SLOW_HUMAN)
        status, body, headers = await t.update(call, **url(t))
        await t.update(t.children(call)[0], Status="completed")
        await t.until(lambda: len(t.children(call)) == 2)

        assert status == 500 and headers["Content-Type"].startswith("text/html") and "<html>" in body


async def test_a_caller_who_leaves_just_before_the_redirect_is_21220() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call(redirect="gone")
        status, error, _ = await t.update(call, **url(t))

        assert (status, error["code"], call.status) == (400, 21220, "completed")


@pytest.mark.parametrize(("redirect", "applied"), [("applied_no_answer", True), ("hang", False)])
async def test_a_redirect_without_an_answer_may_or_may_not_have_been_applied(redirect: str, applied: bool) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/transfer"] = twiml('<Pause length="600"/>')

        call = await t.live_call(redirect=redirect)
        asking = asyncio.create_task(t.update(call, **url(t)))
        await (t.seen("/transfer") if applied else asyncio.wait([asking], timeout=1.0))

        assert not asking.done()
        assert bool(t.app.at("/transfer")) is applied
        assert t.ai.dialogs[0].said == (["bye"] if applied else [])
        asking.cancel()


async def test_a_caller_who_leaves_during_a_redirect_is_never_sent_on() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()
        await t.update(call, **url(t))
        t.stage.hang_up_caller(call.sid)
        await t.seen("/action")
        await t.seen("/status")

        assert t.app.at("/transfer") == []


async def test_a_silent_refer_makes_the_caller_wait_and_then_leave() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call(scenario=Scenario(speed=50.0, caller_patience_s=0.2))
        t.stage.transfer_asked(t.children(call)[0].sid)
        await t.ended(call)

        assert "caller_hangs_up" in t.notes(call)
