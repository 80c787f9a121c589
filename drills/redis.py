"""Redis is gone for half a minute: notifications are lost, and nobody may notice but by a second's delay."""

from __future__ import annotations

import time

from drills.ground import Ground, timed
from drills.outcome import Outcome

AWAY_S = 30.0


def run(ground: Ground, outcome: Outcome) -> None:
    """Gone for `AWAY_S`; meanwhile people talk, a new caller rings, a page is opened, and somebody is transferred."""
    engines = [ground.engine(), ground.engine()]
    calls = ground.talking(4)

    ground.redis.stop()
    gone_at = time.monotonic()
    outcome.check(ground.answers(ground.web_ports[0], "/readyz") == 503, "gone: /readyz answers 503")
    began = time.monotonic()
    new = ground.talking(1, human_answers_after_s=0.5)
    outcome.check(True, f"gone: a caller who rings talks to the AI {time.monotonic() - began:.1f} s later")
    with ground.watching(new[0]) as browser:
        seen = len(browser.texts)
        came_s = timed(lambda: len(browser.texts) > seen + 3, "a browser that came meanwhile sees what is said")
        outcome.check(True, f"gone: a browser opens its socket and has new words within {came_s:.1f} s")
        began = time.monotonic()
        transfer = ground.transfer(new[0]["id"], policy="redirect_only")
        done = ground.transfer_until(transfer["id"], lambda seen: seen["state"] == "settled", "settled", 40)
        outcome.check(
            done["outcome"] == "connected",
            f"gone: a transfer is settled {time.monotonic() - began:.1f} s after the click: {done['outcome']}",
        )
        time.sleep(max(0.0, AWAY_S - (time.monotonic() - gone_at)))
        ground.redis.start()
        ready_s = timed(lambda: ground.answers(ground.web_ports[0], "/readyz") == 200, "ready")
        outcome.check(ready_s < 15, f"back: ready again after {ready_s:.1f} s")
    heard_s = timed(ground.notified, "a notification goes from process to process")
    outcome.check(heard_s < 15, f"back: a notification was heard after {heard_s:.1f} s more")
    outcome.check(all(engine.poll() is None for engine in engines), "no engine ended")
    outcome.check(all(web.poll() is None for web in ground.webs), "no web process ended")

    outcome.check(ground.marked(calls) == 0, "no call is marked incomplete")
    said, lost, doubled = ground.lost(ground.finish(calls))
    outcome.check(lost == doubled == 0, f"events said {said}, lost {lost}, kept twice {doubled}")
