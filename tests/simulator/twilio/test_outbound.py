"""Calls that the API makes: two legs that know nothing of each other, answered and over together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.twilio.theatre import ACCOUNT, Theatre, ai_dial, theatre, twiml

FORM = {"From": "+15550188", "To": "+15550100", "Twiml": twiml('<Pause length="600"/>'), "TimeLimit": "60"}


async def made(t: Theatre, **form: str) -> tuple[int, dict[str, Any]]:
    t.app.answers["/twiml/inbound"] = ai_dial()
    status, answer, _ = await t.rest("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json", **{**FORM, **form})
    return status, answer


def legs(t: Theatre, direction: str) -> list[Any]:
    return [call for call in t.stage.calls.values() if call.direction == direction]


async def test_it_rings_at_our_number_as_a_call_of_its_own_and_is_answered_when_that_is() -> None:
    async with theatre() as t:
        status, answer = await made(t)
        asked = await t.seen("/twiml/inbound")
        (out,) = legs(t, "outbound-api")
        await t.until(lambda: out.status == "in-progress")

        (inbound,) = legs(t, "inbound")
        assert (status, answer["status"], answer["direction"], answer["sid"]) == (
            201,
            "queued",
            "outbound-api",
            out.sid,
        )
        assert (asked.params["From"], asked.params["To"]) == ("+15550188", "+15550100")
        assert inbound.sid == asked.params["CallSid"] != out.sid
        assert inbound.parent is None


async def test_when_one_end_is_over_the_other_is() -> None:
    async with theatre() as t:
        await made(t)
        await t.seen("/twiml/inbound")
        (out,) = legs(t, "outbound-api")
        (inbound,) = legs(t, "inbound")
        await t.until(lambda: out.status == "in-progress")

        await t.update(out, Status="completed")

        await t.until(lambda: inbound.ended)
        assert out.status == "completed"


@pytest.mark.parametrize("form", [{"Twiml": twiml("<Hangup/>")}, {"TimeLimit": "1"}])
async def test_its_document_ends_it_and_so_does_its_time_limit(form: dict[str, str]) -> None:
    async with theatre() as t:
        await made(t, **form)
        await t.seen("/twiml/inbound")
        (inbound,) = legs(t, "inbound")

        await t.until(lambda: inbound.ended)
        assert legs(t, "outbound-api")[0].ended


@pytest.mark.parametrize(
    "form", [{"From": "me"}, {"To": ""}, {"Twiml": "", "Url": "x"}, {"TimeLimit": "0"}, {"TimeLimit": "99999"}]
)
async def test_what_twilio_does_not_take_is_refused_and_nothing_rings(form: dict[str, str]) -> None:
    async with theatre() as t:
        status, answer = await made(t, **form)

        assert status == 400
        assert answer["code"] in (20001, 21205)
        assert not t.stage.calls
