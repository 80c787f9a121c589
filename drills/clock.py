"""The clock of one machine is an hour ahead: a web process and an engine on it, the others elsewhere."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from drills.ground import Ground, timed
from drills.outcome import Outcome

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
AHEAD = ("env", f"LD_PRELOAD={LIBRARY}", "FAKETIME=+1h", "DONT_FAKE_MONOTONIC=1")
"""Not by the program `faketime`, which stands between a signal and the process it is for."""


def run(ground: Ground, outcome: Outcome) -> None:
    """With libfaketime, which gives a process a wrong clock."""
    if LIBRARY is None:
        outcome.skip("install libfaketime")
        return
    ground.webs[1].terminate()
    ground.webs[1].wait(40)
    ground.webs[1] = ground.web(ground.web_ports[1], *AHEAD)
    right = ground.engine()
    first = ground.talking(2)
    old = ground.owners(first)
    wrong = ground.engine(*AHEAD)
    ground.talking(2)  # answered by either web process
    time.sleep(6)
    outcome.check(ground.owners(first) == old, "the engine whose clock is ahead takes no call from the other")
    right.terminate()
    right.wait(60)
    outcome.check("" not in ground.owners(first), "it takes the other's calls over when that one leaves")

    call = ground.live("happy_silent_refer", conversation="silent_caller", human_answers_after_s=0.5)
    asked = ground.at_port(ground.web_ports[1]).post(
        f"/api/calls/{call['id']}/transfers", json={"destination": "frontdesk"}
    )
    done = ground.transfer_until(asked.json()["id"], lambda seen: seen["state"] == "settled", "settled", 40)
    refer_at, deadline_at, redirect_at = (
        datetime.fromisoformat(text)
        for text in (done["refer"]["asked_at"], done["refer"]["deadline_at"], done["redirect"]["asked_at"])
    )
    late_s = (redirect_at - deadline_at).total_seconds()
    outcome.check(
        done["mechanism"] == "redirect" and 0 <= late_s < 3,
        f"a REFER asked for at the web process whose clock is ahead had {(deadline_at - refer_at).total_seconds():.1f} "
        f"s, and was redirected {late_s:.1f} s after that",
    )
    seen = ground.events(call["id"])
    spread = max(event["at"] for event in seen) < time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 1800))
    outcome.check(spread, "no fact is dated into the future")
    outcome.check(ground.marked(first) == 0, "no call is marked incomplete")
    said, lost, doubled = ground.lost(ground.finish(first))
    outcome.check(lost == doubled == 0, f"events said {said}, lost {lost}, kept twice {doubled}")
    timed(lambda: wrong.poll() is None, "the engine works on")
