"""The disk under a SQLite file is full: for the whole process, files may grow no more (RLIMIT_FSIZE), then they may."""

from __future__ import annotations

import resource
import time

from drills.ground import Alone, timed
from drills.outcome import Outcome

FULL_FOR_S = 15.0
FILES_MAY_HAVE = 200_000
"""Bytes: less than the database and its write-ahead log have already, more than the log of the process."""


def run(alone: Alone, outcome: Outcome) -> None:
    """One process, as on one machine; everything it writes to the database fails meanwhile."""
    assert alone.app is not None
    calls = alone.talking(3)
    resource.prlimit(alone.app.pid, resource.RLIMIT_FSIZE, (FILES_MAY_HAVE, resource.RLIM_INFINITY))
    stored = alone.stored()
    before = alone.heard(calls)
    time.sleep(FULL_FOR_S)
    outcome.check(alone.stored() == stored, "full: nothing is stored")
    outcome.check(alone.heard(calls) > before, f"full: people talk on, {alone.heard(calls) - before} events meanwhile")
    outcome.check(alone.status("/healthz") == 200, "full: /healthz answers 200")
    outcome.check(alone.status(f"/calls/{calls[0]['id']}/") == 200, "full: pages can be read")
    resource.prlimit(alone.app.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    stored_s = timed(lambda: alone.stored() > stored, "what was heard is stored")
    outcome.check(stored_s < 10, f"room again: what was heard is stored after {stored_s:.1f} s")
    timed(lambda: "storing late" in alone.board(), "the board says so")
    outcome.check(True, "room again: the board says 'storing late'")
    outcome.check(alone.app.poll() is None, "the process did not end")
    outcome.check(alone.marked(calls) == 0, "no call is marked incomplete")
    said, lost, doubled = alone.lost(alone.finish(calls))
    outcome.check(lost == doubled == 0, f"events said {said}, lost {lost}, kept twice {doubled}")
