"""Three hundred callers, each with a fault of his own: in the end every single one is in a right state."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.flows.cast import Part, cast
from tests.flows.stories import Json, Story, story
from tests.flows.verdicts import faults_of, hung_up
from tests.flows.world import World

pytestmark = pytest.mark.timeout(600)

SEED = int(os.environ.get("CALLOPS_SOAK_SEED", "20261126"))
CALLS = {"sqlite": 300, "postgres": 100}
AT_ONCE = 40
MOST_A_LOOK = 6
PLAY_MAY_TAKE_S = 300.0
REPAIR_MAY_TAKE_S = 100.0
"""The reconciler's minute, and what it finds out then."""
NOBODY_STAYS_LONGER_S = 60.0
"""A caller who waits for an assistant that says nothing more hangs up in the end."""
LOOK_EVERY_S = 0.8
UNFINISHED = ("ringing", "connecting", "live", "transferring", "with_human")


@dataclass
class Soak:
    """All callers of one run: those who wait, those on the line, and the stories of those who are gone."""

    world: World
    waiting: list[Part]
    on_line: dict[str, Part] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    told: dict[str, Story] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    rang_at: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        """Every caller called and is gone."""
        end = time.monotonic() + PLAY_MAY_TAKE_S
        while self.waiting or self.on_line:
            assert time.monotonic() < end, f"still on the line: {self._on_line()}"
            for part in self.waiting[: min(MOST_A_LOOK, AT_ONCE - len(self.on_line))]:
                self.waiting.remove(part)
                sid = self.world.ring(part.scenario, **part.knobs)
                self.on_line[sid] = self.parts[sid] = part
                self.rang_at[sid] = time.monotonic()
            self._ask_transfers()
            self._gather()
            self._tire()
            time.sleep(LOOK_EVERY_S)

    def _on_line(self) -> list[str]:
        return [f"{sid} {part.fault}" for sid, part in self.on_line.items()]

    def _ask_transfers(self) -> None:
        wanted = {sid for sid, part in self.on_line.items() if part.asks_transfer} - self.moved
        for call in listed(self.world, "live") if wanted else ():
            sid = call["carrier"]["call_sid"]
            if sid in wanted:
                body = {"destination": "frontdesk"}
                status = self.world.http.post(f"/api/calls/{call['id']}/transfers", json=body).status_code
                assert status in (202, 409, 429), status
                self.moved |= {sid} if status != httpx.codes.TOO_MANY_REQUESTS else set()

    def _tire(self) -> None:
        for sid in self.on_line:
            if time.monotonic() - self.rang_at[sid] > NOBODY_STAYS_LONGER_S:
                self.world.hang_up_caller(sid)

    def _gather(self) -> None:
        legs = self.world.stage.get("/_stage/calls", params={"live": 1}).json()["calls"]
        busy = {leg["parent_call_sid"] or leg["call_sid"] for leg in legs}
        for sid in set(self.on_line) - busy:
            self.told[sid] = story(self.world, sid)
            del self.on_line[sid]


def listed(world: World, state: str = "") -> list[Json]:
    """All calls of this state, newest first."""
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.http.get(
            "/api/calls",
            params={"state": state, "limit": 200, "cursor": cursor} if state else {"limit": 200, "cursor": cursor},
        ).json()
        found += page["items"]
        cursor = page["next"]
    return found


def settle(world: World, sids: set[str]) -> None:
    """Returns when no call is unfinished and no session of these callers is open; or when the time is up."""
    end = time.monotonic() + REPAIR_MAY_TAKE_S
    while time.monotonic() < end:
        unfinished = [call for state in UNFINISHED for call in listed(world, state)]
        mine = [call for call in listed(world) if call["carrier"]["call_sid"] in sids]
        if not unfinished and all(call["ai"]["session"] in ("none", "closed") for call in mine):
            return
        time.sleep(LOOK_EVERY_S)


def judge(soak: Soak, rows: list[Json]) -> dict[str, list[str]]:
    """What is wrong, by caller."""
    by_sid = defaultdict(list)
    for row in rows:
        by_sid[row["carrier"]["call_sid"]].append(row)
    wrong: dict[str, list[str]] = {}
    for sid, part in soak.parts.items():
        mine = by_sid[sid]
        whole = soak.world.call(mine[0]["id"]) if mine else {}
        faults = faults_of(part, soak.told[sid], whole) if len(mine) == 1 else [f"{len(mine)} rows"]
        if faults:
            wrong[sid] = faults
    return wrong


def table(soak: Soak, wrong: dict[str, list[str]]) -> str:
    """One line a fault: how many called, and what became of them."""
    heads = ("calls", "reached AI", "human", "left", "apology", "wrong")
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for sid, part in soak.parts.items():
        told = soak.told[sid]
        truths = (True, told.reached_ai, told.reached_human, hung_up(part, told), told.heard_an_apology, sid in wrong)
        for name in (part.fault, "all"):
            sums[name].update(dict(zip(heads, map(int, truths), strict=True)))
    order = [*sorted(name for name in sums if name != "all"), "all"]
    width = max(map(len, order))
    lines = ["  ".join([f"{'fault':{width}}", *heads])]
    for name in order:
        cells = (f"{sums[name][head]:{len(head)}}" for head in heads)
        lines.append("  ".join([f"{name:{width}}", *cells]))
    return "\n".join(lines)


def nameless(soak: Soak, row: Json) -> bool:
    """An AI call whose headers were stripped and whose number fits two callers: turned away, and shown as that."""
    stripped = {part.knobs["from_number"] for part in soak.parts.values() if part.scenario == "headers_stripped"}
    turned_away = (row["correlation"]["method"], row["failure_stage"]) == ("none", "our_fault")
    return row["from_number"] in stripped and row["carrier"]["call_sid"] is None and turned_away


def reason(soak: Soak, sid: str, why: list[str]) -> str:
    """What is wrong with one call, and how the carrier's requests about it were answered."""
    part, told = soak.parts[sid], soak.told[sid]
    asked = [
        f"{entry['t']:.1f} {entry['purpose']} {entry.get('status')} {entry.get('error_code') or ''} "
        f"at {entry.get('answered_t')}"
        for entry in told.told["twilio"]
        if entry["kind"] == "webhook"
    ]
    return f"{sid} #{part.number} {part.fault}: {'; '.join(why)}\n    {'; '.join(asked)}"


def test_three_hundred_callers_with_a_fault_each_are_all_in_a_right_end_state(world: World) -> None:
    before = {row["id"] for row in listed(world)}
    soak = Soak(world, cast(CALLS[world.backend], SEED))
    began = time.monotonic()

    soak.play()
    played_s = time.monotonic() - began
    settle(world, set(soak.parts))

    rows = [row for row in listed(world) if row["id"] not in before]
    wrong = judge(soak, rows)
    strangers = [row for row in rows if row["carrier"]["call_sid"] not in soak.parts and not nameless(soak, row)]
    unfinished: list[Any] = [row for row in rows if row["state"] != "ended"]
    shown = table(soak, wrong)
    print(
        f"\nseed {SEED}, {world.backend}: played in {played_s:.0f} s, all right after "
        f"{time.monotonic() - began:.0f} s\n{shown}"
    )
    reasons = "\n".join(reason(soak, sid, why) for sid, why in wrong.items())
    assert not wrong and not unfinished and not strangers, f"seed {SEED}\n{shown}\n{reasons}\n{unfinished}\n{strangers}"
