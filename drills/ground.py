"""The ground of a drill: two web processes behind a door, engines, a PostgreSQL and a Redis that may be taken away."""

from __future__ import annotations

import contextlib
import html
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import redis
from prometheus_client.parser import text_string_to_metric_families

from drills.browser import Browser
from drills.door import Door
from tests.fleet.fleet import Fleet
from tests.flows.world import ROOT, World, eventually
from tests.servers import Postgres, Redis, a_postgres, a_redis, free_port, fresh_database

TALK = {"conversation": "withheld_long", "accept_latency_s": 0.1, "sideband_end_code": 1000}
"""More than three minutes of talk, about four events a second. At its end OpenAI loses nothing that it has queued."""


class Talk(World):
    """Calls on which people talk, and what is kept of what they said."""

    def talking(self, number: int, **knobs: Any) -> list[dict[str, Any]]:
        """So many live calls on which people talk."""
        calls = [self.live("default", **{**TALK, **knobs}) for _ in range(number)]
        for call in calls:
            timed(partial(self._talks, call), "they talk")
        return calls

    def _talks(self, call: dict[str, Any]) -> bool:
        return len(self.said(call["carrier"]["call_sid"])) > 10

    def marked(self, calls: Sequence[dict[str, Any]]) -> int:
        """How many of these live calls are marked incomplete."""
        return sum(bool(self.call(call["id"])["incomplete"]) for call in calls)

    def is_open(self, call: dict[str, Any]) -> bool:
        """Whether the call's sideband was opened again and did not drop since."""
        kinds = [kind for kind in self.kinds(call["id"]) if kind.startswith("openai.sideband_")]
        return kinds.count("openai.sideband_open") > 1 and kinds[-1] == "openai.sideband_open"

    def finish(self, calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Everybody hung up, and the calls are over."""
        for call in calls:
            self.hang_up_caller(call["carrier"]["call_sid"])
        return [self.until(call["id"], lambda seen: seen["state"] == "ended", "ended", 40) for call in calls]

    def lost(self, calls: Sequence[dict[str, Any]]) -> tuple[int, int, int]:
        """Of the events said on these ended calls since each was first heard: how many, lost, and kept twice."""
        kept = self.kept_of([call["id"] for call in calls])
        said = lost = doubled = 0
        for call in calls:
            ours = kept[call["id"]]
            theirs = self.said(call["carrier"]["call_sid"])
            theirs = theirs[theirs.index(ours[0]) :]
            said += len(theirs)
            lost += len(missing := set(theirs) - set(ours))
            where = sorted(theirs.index(one) for one in missing)
            if where:
                print(f"        of {len(theirs)} events {len(where)} lost, from {where[0]} to {where[-1]}", flush=True)
            doubled += len(ours) - len(set(ours))
        return said, lost, doubled

    def kept_of(self, call_ids: Sequence[str]) -> dict[str, list[str]]:
        """The ids of the events stored for each of these calls, in order; by one process for all of them."""
        line = [sys.executable, "manage.py", "shell", "--no-imports", "-c", KEPT.format(ids=list(call_ids))]
        done = subprocess.run(line, cwd=ROOT, env=self.env, capture_output=True, text=True, check=True)
        found: dict[str, list[str]] = json.loads(done.stdout)
        return found


class Alone(Talk):
    """One process with everything in it, and a SQLite file."""

    def stored(self) -> int:
        """How many frames are in the file, read beside the process."""
        with sqlite3.connect(f"file:{self.folder / 'flow.sqlite3'}?mode=ro", uri=True) as file:
            return int(file.execute("SELECT coalesce(sum(frames), 0) FROM sideband_aisession").fetchone()[0])

    def heard(self, calls: Sequence[dict[str, Any]]) -> int:
        """How many events OpenAI sent on these calls."""
        return sum(len(self.said(call["carrier"]["call_sid"])) for call in calls)

    def status(self, path: str) -> int:
        """The status with which a page answers."""
        return self.browser.get(path).status_code


class Ground(Talk, Fleet):
    """A fleet as `deploy/` describes it, on free ports of one machine."""

    def __init__(self, folder: Path, postgres: Postgres, its_redis: Redis) -> None:
        super().__init__(folder, fresh_database(postgres.url), its_redis.url)
        self.postgres, self.redis = postgres, its_redis
        self.web_ports = [self.app_port, free_port()]
        self.webs: list[subprocess.Popen[bytes]] = []
        self.door = Door(self.web_ports)
        self.app_url = self.env["PUBLIC_URL"] = f"http://127.0.0.1:{self.door.port}"

    def start_app(self, *words: str) -> None:
        """Both web processes answer."""
        self.webs = [self.web(port) for port in self.web_ports]
        self.app = self.webs[0]

    def web(self, port: int, *under: str) -> subprocess.Popen[bytes]:
        """One web process more, which is ready; `under`: the program that runs it, and its options."""
        process = self._run("manage.py", "serve", "--no-engine", "--port", str(port), under=under)
        eventually(lambda: self.answers(port, "/readyz") == 200, f"the web process on port {port} is ready", 40)
        return process

    def answers(self, port: int, path: str) -> int:
        """The status with which this web process answers; 0 when it does not."""
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=15).status_code
        except httpx.HTTPError:
            return 0

    def at_port(self, port: int) -> httpx.Client:
        """The API of this web process, past the door."""
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=self.http.headers, timeout=20)

    def owners(self, calls: Sequence[dict[str, Any]]) -> set[str]:
        """Who holds these calls; an empty name: somebody's is held by nobody."""
        return {self.owner(call["id"]) for call in calls}

    def watching(self, call: dict[str, Any]) -> Browser:
        """A browser whose page of this call was just opened over the door."""
        page = self.browser.get(f"/calls/{call['id']}/").text
        found = re.search(r'ws-connect="([^"]+)"', page)
        assert found, page[:400]
        address = self.app_url.replace("http", "ws") + html.unescape(found[1])
        cookie = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        return Browser(address, cookie, self.app_url)

    def notified(self) -> bool:
        """Every process listens to notifications at Redis."""
        alive = [process for process in self.processes[1:] if process.poll() is None]
        with redis.Redis.from_url(self.redis.url) as client:
            (_, listeners), *_ = client.pubsub_numsub("asgi__group__callops.changes")
        return int(listeners) >= len(alive)

    def gauge(self, gauge: str, **labels: str) -> float | None:
        """A gauge of `/metrics`, summed over what matches; None when there is none."""
        text = httpx.get(f"http://127.0.0.1:{self.web_ports[0]}/metrics", timeout=30).text
        values = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == gauge and labels.items() <= sample.labels.items()
        ]
        return sum(values) if values else None

    def counted(self, name: str) -> float:
        """How often this was counted."""
        return self.gauge("callops_counted_total", name=name) or 0.0

    def close(self) -> None:
        """Everything of it is gone."""
        super().close()
        self.door.close()


KEPT = """
import json
from callops.sideband.journal import replay
from callops.sideband.models import AiSession
kept = {{}}
for call_id in {ids}:
    kept[call_id] = []
    for session in AiSession.objects.filter(call_id=call_id).order_by("pk"):
        for _, raw in replay(session.pk):
            frame = json.loads(raw)
            if isinstance(frame, dict) and "event_id" in frame:
                kept[call_id].append(frame["event_id"])
print(json.dumps(kept))
"""


@contextlib.contextmanager
def ground(log: Path | None = None) -> Iterator[Ground]:
    """A ground with two web processes and no engine yet; `log` gets what its processes wrote."""
    with (
        tempfile.TemporaryDirectory(prefix="callops-drill-") as folder,
        a_postgres() as postgres,
        a_redis() as its_redis,
    ):
        made = Ground(Path(folder), postgres, its_redis)
        try:
            made.start()
            yield made
        finally:
            made.close()
            if log is not None:
                log.write_bytes((made.folder / "log.txt").read_bytes())


@contextlib.contextmanager
def alone(log: Path | None = None) -> Iterator[Alone]:
    """One process on SQLite that answers."""
    with tempfile.TemporaryDirectory(prefix="callops-drill-") as folder:
        made = Alone(Path(folder), "sqlite")
        try:
            made.start()
            yield made
        finally:
            made.close()
            if log is not None:
                log.write_bytes((made.folder / "log.txt").read_bytes())


def timed(look: Callable[[], object], what: str, within_s: float = 60.0) -> float:
    """How many seconds it took until it was so, looked at every 50 ms."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() - began < within_s, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
