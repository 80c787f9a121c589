"""Bytes that a minute of a call takes in the database, beside one row for each frame with its JSON as it came."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.db import connection, transaction

from bench import stage
from bench.street import Street
from bench.table import Figure
from callops.core import clock
from callops.core.database import in_db
from callops.engine.folding import Folder
from callops.engine.sessions import served
from callops.engine.writer import GATHER_S
from callops.sideband import batches

CALLS = 50
GOAL = 0.5
OWNER = "bench"
Frames = list[tuple[float, bytes]]


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """The recorded call at its own speed, in the batches it would come in; the file's growth, both ways."""
    return await in_db(_measured)(contracts / "openai" / "sideband-call.jsonl")


def _measured(recording: Path) -> list[Figure]:
    stage.set_up()
    frames = [(row["t"], json.dumps(row["event"]).encode()) for row in map(json.loads, recording.open())]
    minutes = frames[-1][0] / 60 * CALLS
    sessions = stage.held(CALLS, owner=OWNER)
    ours = _growth(lambda: _through_us(sessions, frames)) / minutes
    plain = _growth(lambda: _row_by_row(sessions, frames)) / minutes
    figure = Figure(
        what="stored bytes per call-minute, all frames kept",
        value=f"{ours:,.0f}",
        ratio=ours / plain,
        beside=f"one row for each frame, raw JSON: {plain:,.0f}",
        goal=f"at most {GOAL:g} ×",
        reached="yes" if ours <= GOAL * plain else "no",
    )
    return [figure]


def _growth(write: Any) -> int:
    before = _size()
    write()
    return _size() - before


def _size() -> int:
    """Bytes of the database without what is free in it."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        sizes = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")]
    return int(sizes[0] * sizes[1])


def _through_us(sessions: list[int], frames: Frames) -> None:
    """Frames, turns and events, as an attachment writes them."""
    for session_id in sessions:
        one = served(session_id)
        folder = Folder(session_id=one.session_id, call_id=one.call_id, position_base=one.position_base)
        begun = clock.now()
        for batch in _batches(frames):
            for t, raw in batch:
                folder.take(raw, begun + timedelta(seconds=t))
            batches.save([folder.take_batch().batch], owner=OWNER, now=begun + timedelta(seconds=batch[-1][0]))


def _batches(frames: Frames) -> Iterator[Frames]:
    """What comes within the pause that gathers."""
    rest = iter(frames)
    for first in rest:
        batch = [first]
        for frame in rest:
            if frame[0] > first[0] + GATHER_S:
                rest = itertools.chain([frame], rest)
                break
            batch.append(frame)
        yield batch


@transaction.atomic
def _row_by_row(sessions: list[int], frames: Frames) -> None:
    """The plainest table that can give a call back in order."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, session_id INTEGER, at TEXT, type TEXT, raw TEXT)")
        cursor.execute("CREATE INDEX plain_session ON plain (session_id)")
        for session_id in sessions:
            rows = [(session_id, str(clock.now()), msgspec.json.decode(raw)["type"], raw.decode()) for _, raw in frames]
            cursor.executemany("INSERT INTO plain (session_id, at, type, raw) VALUES (%s, %s, %s, %s)", rows)
