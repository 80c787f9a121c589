"""PostgreSQL is restarted while people talk."""

from __future__ import annotations

import time

from drills.ground import TALK, Ground, timed
from drills.outcome import Outcome

AWAY_S = 12.0


def run(ground: Ground, outcome: Outcome) -> None:
    """It is away for `AWAY_S`: longer than a lease, so that every lease runs out meanwhile."""
    engines = [ground.engine(), ground.engine()]
    calls = ground.talking(6)
    before = {call["id"]: ground.owner(call["id"]) for call in calls}

    with ground.watching(calls[0]) as browser:
        timed(lambda: browser.texts, "the browser has the page's news")
        ground.postgres.stop()
        said_s = timed(lambda: "database away" in "".join(browser.texts[-3:]), "the open page says so")
        outcome.check(True, f"away: a page that is open said 'database away' after {said_s:.1f} s")
        caller = ground.ring("default", **TALK)
        time.sleep(AWAY_S / 2)
        outcome.check(ground.answers(ground.web_ports[0], "/healthz") == 200, "away: /healthz answers 200")
        outcome.check(ground.answers(ground.web_ports[0], "/readyz") == 503, "away: /readyz answers 503")
        outcome.check(ground.gauge("callops_database_up") == 0, "away: /metrics says callops_database_up 0")
        time.sleep(AWAY_S / 2)
        ground.postgres.start()

        ready_s = timed(lambda: all(ground.answers(p, "/readyz") == 200 for p in ground.web_ports), "ready")
        outcome.note(f"both web processes were ready {ready_s:.1f} s after it was back")
        held_s = ready_s + timed(lambda: "" not in ground.owners(calls), "every sideband is held")
        timed(lambda: 'data-light="live"' in "".join(browser.texts[-3:]), "the page is live again")
        outcome.check(held_s < 15, f"every sideband was held under a lease {held_s:.1f} s after it was back")
    waited_s = timed(lambda: ground.call_of(caller) is not None, "who rang meanwhile is on the board")
    met = ground.call_of(caller)
    assert met is not None
    ground.until(met["id"], lambda seen: seen["state"] == "live", "who rang meanwhile is with the assistant", 30)
    outcome.check(True, f"who rang while it was away was taken {waited_s:.1f} s after the others, and is served")
    outcome.check(all(engine.poll() is None for engine in engines), "no engine ended")
    outcome.check(all(web.poll() is None for web in ground.webs), "no web process ended")
    moved = sum(ground.owner(call["id"]) != before[call["id"]] for call in calls)
    outcome.check(moved == 0, f"calls that another engine took over meanwhile: {moved}")
    light_s = timed(lambda: "storing late" in ground.board(), "the board says that it was stored late")
    outcome.check(True, f"the board said 'storing late' {light_s:.1f} s later")
    new = ground.talking(1)
    outcome.check(True, "a new call is served")

    calls.append(met)
    marked = ground.marked(calls + new)
    ended = ground.finish(calls + new)
    said, lost, doubled = ground.lost(ended)
    outcome.check(lost == doubled == 0, f"events said {said}, lost {lost}, kept twice {doubled}")
    outcome.check(marked == 0, f"calls marked incomplete: {marked}")
