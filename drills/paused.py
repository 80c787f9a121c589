"""An engine is stopped past its lease (SIGSTOP) and goes on: it finds that it lost its calls and writes nothing."""

from __future__ import annotations

import signal

from drills.ground import Ground, timed
from drills.outcome import Outcome


def run(ground: Ground, outcome: Outcome) -> None:
    """As a machine that was suspended: its sockets are open, its memory says that the calls are its own."""
    paused = ground.engine()
    calls = ground.talking(4)
    old = ground.owners(calls)
    other = ground.engine()

    paused.send_signal(signal.SIGSTOP)
    held_s = timed(lambda: not ground.owners(calls) & {"", *old}, "every call is held by the other engine")
    outcome.check(held_s < 10, f"{len(calls)} calls were held elsewhere within {held_s:.1f} s")
    new = ground.owners(calls)
    paused.send_signal(signal.SIGCONT)
    timed(lambda: old & set(ground.engines()), "the paused engine looks around again")
    lost_s = timed(lambda: ground.counted("sideband.lease_lost") >= 1, "it says that it lost its calls")
    outcome.note(f"it noticed within {lost_s:.1f} s, and /metrics counts it (sideband.lease_lost)")
    more = ground.talking(1)
    outcome.check(ground.owners(calls) == new, "the calls stay with the engine that took them")
    outcome.check(paused.poll() is None, "the paused engine works on")
    marked = ground.marked(calls)
    outcome.check(marked == len(calls), f"calls that say they may lack something: {marked} of {len(calls)}")

    said, lost, doubled = ground.lost(ground.finish(calls + more))
    outcome.check(doubled == 0, f"events said {said}, kept twice {doubled}")
    outcome.note(f"events lost while nobody read: {lost}")
    other.send_signal(signal.SIGTERM)
    outcome.check(other.wait(40) == 0, "the other engine stops in good order")
