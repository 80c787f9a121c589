"""`python -m drills [NAME…]`: each drill, its outcome, and exit status 1 when a promise was broken."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path
from time import monotonic

from drills.ground import alone, ground
from drills.outcome import Outcome

DRILLS = {
    "database": "PostgreSQL is away for 12 s and comes back",
    "redis": "Redis is away for 30 s and comes back",
    "killed": "an engine is killed (SIGKILL) with calls and a transfer under way",
    "paused": "an engine is paused (SIGSTOP) past its lease and goes on",
    "disk": "the disk under a SQLite file is full for 15 s",
    "clock": "the clock of one machine is an hour ahead",
    "writing": "no fault: how much one engine stores in PostgreSQL",
    "rolling": "every process is replaced, one after the other, by SIGTERM and a new one",
}

ALONE = {"disk"}
"""Drills of one process with SQLite."""


def main() -> int:
    """The drills named, or all of them, one after the other."""
    parser = argparse.ArgumentParser(prog="drills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(DRILLS)} (default: all)")
    parser.add_argument("--log", type=Path, help="folder that gets what the processes of each drill wrote")
    options = parser.parse_args()
    if unknown := set(options.names) - DRILLS.keys():
        parser.error(f"no drill {', '.join(sorted(unknown))}")
    outcomes = [play(name, options.log) for name in options.names or DRILLS]
    print()
    for outcome in outcomes:
        print(f"{outcome.word}  {outcome.name}: {DRILLS[outcome.name]}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def play(name: str, log: Path | None) -> Outcome:
    """One drill on ground of its own."""
    print(f"\n{name}: {DRILLS[name]}", flush=True)
    outcome, began = Outcome(name), monotonic()
    try:
        with (alone if name in ALONE else ground)(log / f"{name}.txt" if log else None) as made:
            importlib.import_module(f"drills.{name}").run(made, outcome)
    except Exception as error:  # a drill that cannot go on has failed; the next one is played all the same
        traceback.print_exc()
        outcome.check(False, f"the drill could not go on: {error}")
    outcome.note(f"took {monotonic() - began:.0f} s")
    return outcome


if __name__ == "__main__":
    sys.exit(main())
