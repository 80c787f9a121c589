"""The program stops or dies in the middle of a transfer; the caller does not notice, and the witness still counts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.flows.proofs import is_settled, prove
from tests.flows.world import World, eventually

pytestmark = pytest.mark.timeout(300)

Json = dict[str, Any]
STAYS: Json = {"accept_latency_s": 0.1, "human_answers_after_s": 0.6, "caller_patience_s": 120.0}
PATIENT = {**STAYS, "to_number": "+15550104"}


def test_a_restart_in_the_middle_loses_neither_call_nor_deadline(world: World) -> None:
    call = world.live("happy_silent_refer", speed=4, caller_patience_s=60.0)
    talking = world.until(call["id"], lambda seen: len(seen["transcript"]) >= 2, "words", 40)

    asked = world.transfer(call["id"])
    assert world.stop_app() == 0
    world.start_app()
    settled = world.transfer_until(asked["id"], is_settled, "settled", 40)

    assert (settled["mechanism"], settled["outcome"]) == ("redirect", "connected")
    after = world.call(call["id"])["transcript"]
    assert [turn["id"] for turn in after][:2] == [turn["id"] for turn in talking["transcript"]][:2]


def test_a_killed_process_leaves_the_call_to_the_next(world: World) -> None:
    call = world.live("happy_silent_refer", speed=2)
    world.stop_app(signal.SIGKILL)
    world.start_app()

    def attached() -> bool:
        return world.kinds(call["id"]).count("openai.sideband_open") >= 2

    eventually(attached, "another engine attached", 30)
    grown = len(world.call(call["id"])["transcript"])
    world.until(call["id"], lambda seen: len(seen["transcript"]) > grown, "the transcript goes on", 40)
    world.hang_up_caller(call["carrier"]["call_sid"])


@contextmanager
def dead_after_the_refer(world: World, call: Json) -> Iterator[Json]:
    """A transfer whose REFER was asked for and answered; the app was killed then, and lives again afterwards."""
    asked = world.transfer(call["id"])
    eventually(lambda: "openai.refer_answered" in world.kinds(call["id"]), "the REFER is answered")
    world.stop_app(signal.SIGKILL)
    try:
        yield asked
    finally:
        world.start_app()


def let_refer_leave(world: World, call: Json) -> None:
    assert world.stage.post(f"/_stage/calls/{call['carrier']['call_sid']}/refer").status_code == 200


def test_a_refer_that_arrives_while_nobody_is_there_leaves_the_caller_with_the_ai_until_the_redirect(
    world: World,
) -> None:
    with world.calling("happy_silent_refer", **STAYS) as call:
        sid = call["carrier"]["call_sid"]
        with dead_after_the_refer(world, call) as asked:
            let_refer_leave(world, call)
            eventually(lambda: "back_to_ai" in world.notes(sid), "the carrier gave the caller back to the AI")
        transfer = world.transfer_until(asked["id"], is_settled, "settled", 40)

        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["refer_answered", "deadline_passed", "document_fetched", "human_connected"],
            says=["never seen by the carrier", "Twilio fetched the transfer document"],
        )
        (tried,) = [entry for entry in world.record(sid)["twilio"] if entry.get("purpose") == "refer"]
        assert (tried["attempts"], tried["status"]) == (2, None)


def test_a_refer_that_arrives_after_the_restart_is_the_proof_and_stops_the_watchdog(world: World) -> None:
    with world.calling("happy_silent_refer", **PATIENT) as call:
        with dead_after_the_refer(world, call) as asked:
            pass
        let_refer_leave(world, call)
        transfer = world.transfer_until(asked["id"], is_settled, "settled", 40)

        prove(
            world,
            call,
            transfer,
            mechanism="refer",
            evidence=["refer_answered", "refer_seen", "human_connected"],
            says=["seen by the carrier"],
        )
        assert "us.redirect_asked" not in world.kinds(call["id"])
        assert world.kinds(call["id"]).count("us.refer_asked") == 1
