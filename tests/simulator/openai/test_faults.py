"""The faults on the way to the AI: webhooks in threes and again, accepts that fail, sockets that close, ghosts."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulator.openai.theatre import ACCEPT, Theatre, hear, until


async def test_three_deliveries_of_one_webhook_arrive_at_once(theatre: Theatre) -> None:
    theatre.invite(webhook="thrice")
    await until(lambda: len(theatre.recorded("webhook.answered")) == 3)

    order = [entry["kind"] for entry in theatre.stage.record if entry["kind"].startswith("webhook.")]
    assert order[:3] == ["webhook.sent"] * 3
    assert len({headers["webhook-id"] for headers, _ in theatre.webhooks}) == 1


async def test_a_webhook_whose_answer_is_lost_comes_again_and_only_then_the_call_connects(theatre: Theatre) -> None:
    dialog = theatre.invite(webhook="answer_lost", webhook_retry_s=0.1)
    await until(lambda: len(theatre.webhooks) == 1)
    assert (await dialog.post("accept", ACCEPT)).status == 200
    assert not dialog.carrier.heard("answered")

    await until(lambda: dialog.carrier.heard("answered"))
    assert len(theatre.webhooks) == 2


@pytest.mark.parametrize(
    ("accept", "status", "code"),
    [
        ("http_404", 404, "call_id_not_found"),
        ("http_409", 409, "decision_already_made"),
        ("http_429", 429, "rate_limit_exceeded"),
        ("http_500", 500, None),
    ],
)
async def test_accepts_fail_as_the_scenario_says(theatre: Theatre, accept: Any, status: int, code: str | None) -> None:
    dialog = theatre.invite(accept=accept)

    replies = [await dialog.post("accept", ACCEPT) for _ in range(2)]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(status, code)] * 2
    assert replies[0].headers.get("retry-after") == ("1" if status == 429 else None)


async def test_after_a_409_the_session_of_another_program_lives(theatre: Theatre) -> None:
    dialog = theatre.invite(accept="http_409")
    assert (await dialog.post("accept", ACCEPT)).status == 409

    await until(lambda: dialog.carrier.heard("answered"))
    async with dialog.attach() as socket:
        await hear(socket, "response.done")


async def test_an_accept_that_fails_once_works_at_the_second_try(theatre: Theatre) -> None:
    dialog = theatre.invite(accept="http_500", accept_faults=1)

    statuses = [(await dialog.post("accept", ACCEPT)).status for _ in range(2)]

    assert statuses == [500, 200]
    await until(lambda: dialog.carrier.heard("answered"))


@pytest.mark.parametrize("code", [1006, 1011, 1012])
async def test_a_sideband_closes_as_the_scenario_says_and_the_call_goes_on(theatre: Theatre, code: Any) -> None:
    dialog = await theatre.answered(drop_sideband_at_s=1.0, speed=20.0, sideband_drop_code=code)
    async with dialog.attach() as socket:
        with pytest.raises(ConnectionClosed):
            await hear(socket, "nothing")

    assert socket.close_code == code
    assert not dialog.carrier.heard("bye")


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012])
async def test_the_end_of_a_call_closes_the_sideband_as_the_scenario_says(theatre: Theatre, code: Any) -> None:
    dialog = await theatre.answered(sideband_end_code=code)
    async with dialog.attach() as socket:
        await until(lambda: dialog.call.sidebands)
        dialog.call.bye()
        with pytest.raises(ConnectionClosed):
            await hear(socket, "nothing")

    assert socket.close_code == code


async def test_a_session_ends_when_the_scenario_says_and_the_carrier_hears_bye(theatre: Theatre) -> None:
    dialog = await theatre.answered(session_lasts_s=10.0, speed=50.0)
    async with dialog.attach() as socket:
        events = await hear(socket, "error")
        with pytest.raises(ConnectionClosed):
            await hear(socket, "nothing")

    assert (events[-1]["error"]["code"], socket.close_code) == ("session_expired", 1001)
    assert dialog.carrier.told[-1] == ("bye", None)


async def test_a_ghost_is_accepted_and_answers_nobody_until_it_is_hung_up(theatre: Theatre) -> None:
    dialog = theatre.invite(ghost=True)
    dialog.call.cancel()
    assert (await dialog.post("accept", ACCEPT)).status == 200

    await until(lambda: theatre.recorded("sip.haunted"))
    async with dialog.attach() as socket:
        assert (await dialog.post("hangup")).status == 200
        with pytest.raises(ConnectionClosed):
            await hear(socket, "nothing")
    assert not dialog.carrier.heard("answered")
    assert (await dialog.post("hangup")).status == 404
