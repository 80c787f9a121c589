"""Several wishes at the same moment: two operators, two tabs, one key twice, an operator and the assistant."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest

from tests.flows.proofs import events_of, is_settled, prove
from tests.flows.world import World, eventually, hidden

pytestmark = pytest.mark.story

T = TypeVar("T")
QUICK: dict[str, Any] = {"accept_latency_s": 0.1, "human_answers_after_s": 0.6}
PATIENT = {**QUICK, "to_number": "+15550104"}
"""On a line that gives a REFER thirty seconds."""
DIALLED = ["document_fetched", "human_connected"]


def test_of_two_operators_who_click_at_once_one_is_told_of_the_others_transfer(world: World) -> None:
    with world.calling("happy_silent_refer", **QUICK) as call:
        answers = at_once(lambda: post_transfer(world, call), lambda: post_transfer(world, call))

        first, second = sorted(answers, key=lambda answer: answer.status_code)
        assert (first.status_code, second.status_code) == (202, 409)
        assert second.json()["transfer_id"] == first.json()["id"]
        transfer = world.transfer_until(first.json()["id"], is_settled, "settled")
        prove(world, call, transfer, mechanism="redirect", evidence=["deadline_passed", *DIALLED])
        assert len(world.call(call["id"])["transfers"]) == 1


def test_the_same_key_sent_twice_at_once_is_one_transfer(world: World) -> None:
    with world.calling("refer_works", **PATIENT) as call:
        answers = at_once(*[lambda: post_transfer(world, call, key="one-click")] * 4)

        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        transfer = world.transfer_until(answers[0].json()["id"], is_settled, "settled")
        prove(world, call, transfer, mechanism="refer", evidence=["refer_seen", "human_connected"])
        assert world.kinds(call["id"]).count("us.refer_asked") == 1


def test_two_tabs_that_send_at_once_make_one_transfer(world: World) -> None:
    with world.calling("refer_works", **PATIENT) as call:
        tabs = [world.signed_in() for _ in range(2)]
        forms = [hidden(tab.get(f"/calls/{call['id']}/").text, "transfer-form") for tab in tabs]
        assert forms[0]["key"] != forms[1]["key"]

        def send(number: int) -> int:
            form = {**forms[number], "destination": "frontdesk"}
            return tabs[number].post(f"/calls/{call['id']}/transfer", data=form).status_code

        statuses = at_once(lambda: send(0), lambda: send(1))

        assert sorted(statuses) == [200, 409]
        (asked,) = world.call(call["id"])["transfers"]
        transfer = world.transfer_until(asked["id"], is_settled, "settled")
        prove(world, call, transfer, mechanism="refer", evidence=["refer_seen", "human_connected"])


def test_an_operator_and_the_assistant_who_ask_at_once_make_one_transfer(world: World) -> None:
    with world.calling("assistant_transfers_refer_works", **PATIENT, speed=4.0, human_talks_s=200.0) as call:
        eventually(lambda: "openai.tool_call" in world.kinds(call["id"]), "the assistant asks", 40)
        answer = post_transfer(world, call)

        (asked,) = world.call(call["id"])["transfers"]
        assert answer.status_code in (202, 409)
        assert answer.json().get("transfer_id", answer.json().get("id")) == asked["id"]
        transfer = world.transfer_until(asked["id"], is_settled, "settled")
        prove(world, call, transfer, mechanism="refer", evidence=["refer_seen", "human_connected"])
        told = eventually(lambda: events_of(world, call, "us.tool_answered"), "the assistant is told", 40)
        assert told[0]["body"]["output"]["ok"] is True


def test_an_assistant_who_asks_after_an_operator_is_told_that_the_caller_is_on_the_way(world: World) -> None:
    with world.calling("assistant_transfers", **PATIENT, speed=4.0) as call:
        asked = world.transfer(call["id"])
        told = eventually(lambda: events_of(world, call, "us.tool_answered"), "the assistant is told", 40)

        assert told[0]["body"]["output"]["ok"] is True
        assert "still open" in told[0]["body"]["output"]["note"]
        assert [each["id"] for each in world.call(call["id"])["transfers"]] == [asked["id"]]


def at_once(*deeds: Callable[[], T]) -> list[T]:
    """What each of the deeds gave, done at the same moment."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], T]) -> T:
        start.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def post_transfer(world: World, call: dict, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return world.http.post(f"/api/calls/{call['id']}/transfers", json={"destination": "frontdesk"}, headers=headers)
