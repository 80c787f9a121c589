"""Every process is replaced, one after the other, by SIGTERM and a new one, while people talk, watch and ask."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter

import httpx

from drills.ground import Ground, timed
from drills.outcome import Outcome


class Asking:
    """Somebody who asks the API through the door again and again, each time over a new connection."""

    def __init__(self, ground: Ground, path: str) -> None:
        self.answers: Counter[str] = Counter()
        self._ground, self._path = ground, path
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        headers = {**self._ground.http.headers, "Connection": "close"}
        while not self._done.wait(0.02):
            try:
                answer = httpx.get(f"{self._ground.app_url}{self._path}", headers=headers, timeout=20)
                self.answers[str(answer.status_code)] += 1
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1

    def stop(self) -> None:
        self._done.set()
        self._thread.join(30)


def run(ground: Ground, outcome: Outcome) -> None:
    """First the engines, then the web processes; the new one looks around before the old one is told to stop."""
    engines = [ground.engine(), ground.engine()]
    calls = ground.talking(5)
    asking = Asking(ground, f"/api/calls/{calls[0]['id']}")
    with ground.watching(calls[0]) as browser:
        timed(lambda: browser.texts, "the browser has the page's news")
        for old in engines:
            ground.engine()
            outcome.check(_ended_well(old), "an engine ended with status 0")
            timed(lambda: "" not in ground.owners(calls), "every sideband is held")
        for number, port in enumerate(ground.web_ports):
            outcome.check(_ended_well(ground.webs[number]), "a web process ended with status 0")
            ground.webs[number] = ground.web(port)
        seen = len(browser.texts)
        timed(lambda: len(browser.texts) > seen + 3, "the browser sees what is said")
        outcome.check(browser.joined >= 2, f"the browser's socket was opened {browser.joined} times")
        outcome.note(f"it was away for {browser.longest_gap_s:.1f} s at most, with a pause of half a second in it")
    asking.stop()
    good = asking.answers.pop("200")
    outcome.check(not asking.answers, f"requests answered {good}, failed {dict(asking.answers) or 'none'}")

    outcome.check(ground.marked(calls) == 0, "no call is marked incomplete")
    dropped = sum(ground.kinds(call["id"]).count("openai.sideband_dropped") for call in calls)
    outcome.check(dropped == 0, f"sidebands that were without an ear meanwhile: {dropped}")
    said, lost, doubled = ground.lost(ground.finish(calls))
    outcome.check(lost == doubled == 0, f"events said {said}, lost {lost}, kept twice {doubled}")


def _ended_well(process: subprocess.Popen[bytes]) -> bool:
    process.send_signal(signal.SIGTERM)
    return process.wait(60) == 0
