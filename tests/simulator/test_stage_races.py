"""Races between the two halves of the stage: what the AI does just when the carrier is asked for a redirect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from callops.simulator.stage import Stage
from callops.simulator.twilio.calls import Call
from tests.simulator.test_stage import ACCOUNT, FAST, TOKEN, App, get, post, staged, until

SLOW = {**FAST, "speed": 1.0}


@asynccontextmanager
async def referred(scenario: str, **knobs: Any) -> AsyncIterator[tuple[Stage, App, Call, aiohttp.ClientSession]]:
    """A live call of which a REFER was asked, in vain so far."""
    async with staged() as (stage, app, http):
        _, placed = await post(http, "/_stage/calls", scenario=scenario, **SLOW | knobs)
        call = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: call.answered_at is not None)
        ai_leg = next(leg for leg in stage.twilio.calls.values() if leg.parent is call)
        assert await app.ask(app.ai_calls[ai_leg.sid], "refer", target_uri="tel:+15550111") == 200
        assert "/refer" not in dict(app.seen)
        yield stage, app, call, http


async def redirect(app: App, call: Call, http: aiohttp.ClientSession) -> int:
    url = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json"
    form = {"Url": f"{app.stage_url}/nowhere"}
    async with http.post(
        url, data=form, headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as answer:
        return answer.status


async def test_a_refer_may_reach_the_carrier_while_a_redirect_is_being_applied() -> None:
    async with referred("refer_meets_redirect") as (stage, app, call, http):
        redirecting = asyncio.create_task(redirect(app, call, http))
        await until(lambda: "/refer" in dict(app.seen))

        assert not redirecting.done()
        assert await redirecting == 200
        await until(lambda: any(entry.get("purpose") == "redirect_by_rest" for entry in stage.twilio.record))


async def test_the_ai_may_leave_while_a_redirect_is_being_applied_and_the_action_is_asked_in_earnest() -> None:
    async with referred("ai_leaves_during_redirect") as (stage, app, call, http):
        redirecting = asyncio.create_task(redirect(app, call, http))
        await until(lambda: any(entry.get("purpose") == "action" for entry in stage.twilio.record))

        assert not redirecting.done()
        redirecting.cancel()


async def test_a_redirect_of_another_caller_is_no_such_moment() -> None:
    async with referred("refer_meets_redirect") as (stage, app, _call, http):
        _, placed = await post(http, "/_stage/calls", scenario="default", **SLOW)
        other = stage.twilio.calls[placed["call_sid"]]
        await until(lambda: other.answered_at is not None)

        assert await redirect(app, other, http) == 200

        assert "/refer" not in dict(app.seen)


async def test_the_control_door_lets_a_silent_refer_leave_after_all_and_only_once() -> None:
    async with referred("default") as (stage, app, call, http):
        for _ in range(2):
            status, _ = await post(http, f"/_stage/calls/{call.sid}/refer")
            assert status == 200

        await until(lambda: "/refer" in dict(app.seen))
        assert sum(entry["kind"] == "sip.refer" for entry in stage.openai.record) == 1


async def test_the_control_door_has_no_refer_to_let_leave_before_one_was_asked_for() -> None:
    async with staged() as (stage, _app, http):
        _, placed = await post(http, "/_stage/calls", scenario="default", **SLOW)
        await until(lambda: stage.twilio.calls[placed["call_sid"]].answered_at is not None)

        status, _ = await post(http, f"/_stage/calls/{placed['call_sid']}/refer")

        assert status == 200
        assert not any(entry["kind"] == "sip.refer" for entry in stage.openai.record)


async def test_the_record_can_be_read_for_one_leg_and_its_callers_ai_alone() -> None:
    async with referred("default") as (stage, app, call, http):
        _, placed = await post(http, "/_stage/calls", scenario="default", **SLOW)
        await until(lambda: stage.twilio.calls[placed["call_sid"]].answered_at is not None)

        record = await get(http, f"/_stage/record?call_sid={call.sid}")
        unknown = await http.get("/_stage/record?call_sid=CA0")

        (ai_id,) = {entry["call_id"] for entry in record["openai"]}
        assert ai_id in app.ai_calls.values()
        assert {entry["call_sid"] for entry in record["twilio"]} == {call.sid}
        assert unknown.status == 404
