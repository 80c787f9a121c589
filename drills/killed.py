"""An engine is killed: its calls are attached elsewhere, and the transfer it was carrying out is finished."""

from __future__ import annotations

import signal

from drills.ground import Ground, timed
from drills.outcome import Outcome

WITHIN_S = 10.0


def run(ground: Ground, outcome: Outcome) -> None:
    """Killed outright, with a REFER just asked for one of its callers."""
    first = ground.engine()
    calls = ground.talking(4)
    asking = ground.live("happy_silent_refer", conversation="silent_caller", human_answers_after_s=0.5, speed=0.5)
    old = ground.owners(calls)
    second = ground.engine()
    transfer = ground.transfer(asking["id"])
    timed(lambda: "us.refer_asked" in ground.kinds(asking["id"]), "the REFER was asked")

    first.send_signal(signal.SIGKILL)
    first.wait()
    held_s = timed(lambda: not ground.owners(calls) & {"", *old}, "every call is held by the other engine")
    open_s = held_s + timed(lambda: all(ground.is_open(call) for call in calls), "every sideband is open again")
    outcome.check(open_s < WITHIN_S, f"{len(calls)} calls were attached elsewhere within {open_s:.1f} s")
    done = ground.transfer_until(transfer["id"], lambda seen: seen["state"] == "settled", "settled", 40)
    outcome.check(done["outcome"] == "connected", f"its transfer was finished: {done['mechanism']}, {done['outcome']}")
    outcome.check(ground.kinds(asking["id"]).count("us.refer_asked") == 1, "its REFER was asked once")
    marked = ground.marked(calls)
    outcome.check(marked == len(calls), f"calls that say they may lack something: {marked} of {len(calls)}")

    said, lost, doubled = ground.lost(ground.finish(calls))
    outcome.check(doubled == 0, f"events said {said}, kept twice {doubled}")
    outcome.note(f"events lost with the engine (nobody heard them meanwhile, or they were not stored yet): {lost}")
    second.send_signal(signal.SIGTERM)
    outcome.check(second.wait(40) == 0, "the other engine stops in good order")
