"""What must hold at the end of every story of a transfer, whatever went wrong in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.flows.world import World

Json = dict[str, Any]
MOVERS = {"refer_seen", "document_fetched", "child_seen"}
ARRIVALS = {"human_connected", "human_dial_ended"}


def is_settled(transfer: Json) -> bool:
    return bool(transfer["state"] == "settled")


def kinds_of(transfer: Json) -> list[str]:
    return [row["kind"] for row in transfer["evidence"]]


def events_of(world: World, call: Json, kind: str) -> list[Json]:
    return [event for event in world.events(call["id"]) if event["kind"] == kind]


def moved(world: World, call: Json, within_s: float = 40, **wish: str) -> Json:
    """The transfer of this call, asked for and settled."""
    return world.transfer_until(world.transfer(call["id"], **wish)["id"], is_settled, "settled", within_s)


def prove(
    world: World,
    call: Json,
    transfer: Json,
    *,
    mechanism: str,
    outcome: str = "connected",
    evidence: Iterable[str] = (),
    says: Iterable[str] = (),
    rings: int = 1,
) -> None:
    """Mechanism, outcome, evidence and sentence are these; nobody was lost, dialled twice, or claimed without proof."""
    seen = (transfer["mechanism"], transfer["outcome"])
    assert seen == (mechanism, outcome), transfer
    assert set(evidence) <= set(kinds_of(transfer)), transfer
    for words in says:
        assert words in transfer["because"]
    assert transfer["because"] in world.page(call["id"])
    nothing_claimed_without_a_witness(transfer)
    nobody_dialled_twice(world, call, rings)
    nobody_lost(world, call)


def nothing_claimed_without_a_witness(transfer: Json) -> None:
    by_carrier = {row["kind"] for row in transfer["evidence"] if row["witness"] == "carrier"}
    if transfer["mechanism"] in ("refer", "redirect", "dial_action"):
        assert by_carrier & MOVERS, transfer
    if transfer["outcome"] == "connected":
        assert by_carrier & ARRIVALS, transfer


def nobody_dialled_twice(world: World, call: Json, rings: int) -> None:
    """So many human legs were made for the caller, and at most one of them was ever answered."""
    people = human_legs(world, call)
    assert len(people) == rings, people
    assert len([leg for leg in people if was_answered(leg)]) <= 1, people


def nobody_lost(world: World, call: Json) -> None:
    """The caller talks to a human, is back with the AI, or hung up by himself."""
    sid = call["carrier"]["call_sid"]
    if "caller_hangs_up" in world.notes(sid):
        return
    legs = world.legs(sid)
    assert any(leg["status"] == "in-progress" for leg in legs) or any(map(was_answered, human_legs(world, call))), legs


def human_legs(world: World, call: Json) -> list[Json]:
    return [leg for leg in world.legs(call["carrier"]["call_sid"]) if not leg["to"].startswith("sip:")]


def was_answered(leg: Json) -> bool:
    return leg["status"] in ("in-progress", "completed")
