"""Redirects that fail a few times, late, or slowly; and legs that cannot be ended."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from callops.simulator.scenario import Scenario
from tests.simulator.twilio.theatre import Theatre, ai_dial, theatre, twiml

STAYS = twiml('<Pause length="600"/>')


def redirect_to(t: Theatre) -> dict[str, str]:
    t.app.answers["/twiml/inbound"] = ai_dial()
    t.app.answers["/transfer"] = STAYS
    return {"Url": f"{t.app_url}/transfer", "Method": "POST"}


def moment_of(t: Theatre, **like: Any) -> float:
    entries = (entry for entry in t.stage.record if like.items() <= entry.items())
    return float(next(entries)["t"])


@pytest.mark.parametrize(("fault", "status"), [("http_429", 429), ("http_500", 500)])
@pytest.mark.parametrize("faults", [1, 2])
async def test_a_redirect_may_fail_a_few_times_and_then_work(fault: str, status: int, faults: int) -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect=fault, redirect_faults=faults)

        statuses = [(await t.update(call, **form))[0] for _ in range(faults + 1)]

        assert statuses == [status] * faults + [200]
        await t.seen("/transfer")


async def test_faults_of_one_caller_are_not_anothers() -> None:
    async with theatre() as t:
        form = redirect_to(t)
        first = await t.live_call(redirect="http_429", redirect_faults=1)
        second = await t.live_call(redirect="http_429", redirect_faults=1)

        statuses = [(await t.update(call, **form))[0] for call in (first, second, first)]

        assert statuses == [429, 429, 200]


async def test_a_redirect_may_be_lost_once_without_taking_effect() -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect="hang", redirect_faults=1)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await t.update(call, **form)
        status, _, _ = await t.update(call, **form)

        assert status == 200
        await t.seen("/transfer")
        assert len(t.app.at("/transfer")) == 1


@pytest.mark.parametrize(("seconds", "header"), [(2, "2"), (None, None)])
async def test_a_429_may_say_when_to_come_back(seconds: int | None, header: str | None) -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect="http_429", retry_after_s=seconds)

        _, _, headers = await t.update(call, **form)

        assert headers.get("Retry-After") == header


async def test_a_redirect_takes_effect_and_is_answered_after_its_latency() -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect_latency_s=0.3)

        asking = asyncio.create_task(t.update(call, **form))
        await t.until(lambda: "redirected" in t.notes(call))
        await asking

        arrived = moment_of(t, kind="rest", method="POST")
        assert moment_of(t, kind="leg", event="redirected") >= arrived + 0.3


async def test_a_caller_who_leaves_during_the_latency_cannot_be_redirected() -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect_latency_s=0.3)

        asking = asyncio.create_task(t.update(call, **form))
        await t.until(lambda: any(entry["kind"] == "rest" for entry in t.stage.record))
        t.stage.hang_up_caller(call.sid)
        status, error, _ = await asking

        assert (status, error["code"]) == (400, 21220)


async def test_the_document_may_be_asked_for_long_after_the_answer_while_the_ai_is_gone_at_once() -> None:
    async with theatre() as t:
        form = redirect_to(t)
        call = await t.live_call(redirect_fetch_s=1.2)

        await t.update(call, **form)
        await t.until(lambda: t.ai.dialogs[0].said == ["bye"])
        assert not t.app.at("/transfer")
        await t.seen("/transfer")

        applied = moment_of(t, kind="leg", event="redirected")
        assert moment_of(t, kind="webhook", purpose="redirect_by_rest") >= applied + 1.2


async def test_a_leg_may_refuse_to_be_ended_by_rest_but_the_people_on_it_may_still_leave() -> None:
    async with theatre() as t:
        redirect_to(t)
        call = await t.live_call(scenario=Scenario(speed=50.0, end_leg="http_500"))

        status, _, _ = await t.update(t.children(call)[0], Status="completed")
        assert (status, t.children(call)[0].ended, call.ended) == (500, False, False)
        t.stage.hang_up_caller(call.sid)

        await t.ended(call)
