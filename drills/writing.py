"""How much one engine can store in PostgreSQL: no fault, but the figures that docs/scale.md reckons with."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import psycopg

from drills.ground import Ground
from drills.outcome import Outcome

CALLS = 250
"""The capacity of one engine."""
ROUNDS = 20
FRAMES = (2, 20)
"""Frames of each call in a round: a batch of 60 ms while somebody speaks at 30 frames a second, and one that waited."""


def run(ground: Ground, outcome: Outcome) -> None:
    """With `fsync` on, as an installation has it."""
    with psycopg.connect(ground.postgres.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = on")
        connection.execute("SELECT pg_reload_conf()")
    outcome.check(ground.sql("SHOW fsync") == [("on",)], "PostgreSQL writes through to the disk")
    script = "from drills import writing; [writing.measure(frames) for frames in writing.FRAMES]"
    told = ground.manage("shell", "--no-imports", "-c", script).splitlines()
    for frames, line in zip(FRAMES, told, strict=True):
        seen: dict[str, Any] = json.loads(line)
        outcome.check(seen["stored"] == CALLS * ROUNDS * frames, f"{seen['stored']} frames were stored")
        outcome.note(
            f"{CALLS} calls × {frames} frames a round: {seen['round_ms']:.0f} ms a round (median), "
            f"{seen['events_a_second']:,.0f} events/s, {seen['rows_a_second']:,.0f} rows written/s, "
            f"{seen['cpu_ms']:.0f} ms CPU of the engine a round"
        )


def measure(frames: int) -> None:
    """In a shell of the app: rounds of the writer, for as many calls as an engine holds."""
    from callops.calls.models import Line
    from callops.core import clock
    from callops.sideband import batches
    from callops.sideband.batches import Batch
    from callops.sideband.models import AiSession, FrameBatch
    from callops.sideband.turns import TurnState
    from tests.rows import make_call, make_session

    line = Line.objects.first()
    sessions = [make_session(make_call(line), lease_owner="engine-1") for _ in range(CALLS)]
    delta = {"type": "response.output_audio_transcript.delta", "delta": " and so on, word for word"}
    took, began_cpu = [], time.process_time()
    for number in range(ROUNDS):
        wanted = []
        for session in sessions:
            first = number * frames
            raw = [
                (first + at, json.dumps({**delta, "event_id": f"event_{first + at}"}).encode()) for at in range(frames)
            ]
            said = TurnState("item_1", "assistant", "and so on " * number, False, False, None, 1_790_000_000_000, {})
            turns = {"item_1": (0, said)}
            wanted.append(Batch(session_id=session.pk, call_id=session.call_id, first=first, frames=raw, turns=turns))
        began = time.monotonic()
        batches.save(wanted, owner="engine-1", now=clock.now())
        took.append(time.monotonic() - began)
    round_s = statistics.median(took)
    stored = sum(AiSession.objects.filter(pk__in=[one.pk for one in sessions]).values_list("frames", flat=True))
    assert FrameBatch.objects.filter(session__in=sessions).count() == CALLS * ROUNDS
    print(
        json.dumps(
            {
                "stored": stored,
                "round_ms": round_s * 1000,
                "events_a_second": CALLS * frames / round_s,
                "rows_a_second": CALLS * 4 / round_s,
                "cpu_ms": (time.process_time() - began_cpu) / ROUNDS * 1000,
            }
        )
    )
