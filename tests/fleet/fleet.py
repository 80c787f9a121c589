"""A world of several machines: one web process and named engines, joined by PostgreSQL and Redis alone."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from tests.flows.world import ROOT, World, eventually

LONG = {"conversation": "silent_caller", "speed": 0.5, "accept_latency_s": 0.1, "caller_patience_s": 600.0}


class Fleet(World):
    """The app without an engine; engines are started, paused and killed by their process ids."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **env: str) -> None:
        super().__init__(folder, "postgres", database_url=database_url, redis_url=redis_url)
        self.env |= env
        self._engines: list[subprocess.Popen[bytes]] = []

    def start_app(self, *words: str) -> None:
        super().start_app("--no-engine", *words)

    def engine(self, *under: str) -> subprocess.Popen[bytes]:
        """One more engine, which looks around already; `under`: the program that runs it, and its options."""
        known = set(self.engines())
        process = self._run("manage.py", "engine", under=under)
        self._engines.append(process)
        eventually(lambda: set(self.engines()) - known, "the engine looks around", 40)
        return process

    def kill_engines(self) -> None:
        """No engine runs any more."""
        while self._engines:
            kill(self._engines.pop())

    def engines(self) -> list[str]:
        rows = self.sql("SELECT name FROM core_beat WHERE name LIKE 'engine:%%' AND at > now() - interval '10 s'")
        return [str(name).removeprefix("engine:") for (name,) in rows]

    def owner(self, call_id: str) -> str:
        """Who holds the call's sideband under a lease that runs."""
        where = "call_id = %s AND closed_at IS NULL AND lease_until > now()"
        rows = self.sql(f"SELECT lease_owner FROM sideband_aisession WHERE {where}", call_id)
        return str(rows[0][0]) if rows else ""

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def kept(self, call_id: str) -> list[str]:
        """The ids of the events that are stored for this call, in order."""
        rows = self.sql("SELECT id FROM sideband_aisession WHERE call_id = %s ORDER BY id", call_id)
        words = ["shell", "--no-imports", "-c", KEPT.format(ids=[row[0] for row in rows])]
        env, line = self.env, [sys.executable, "manage.py", *words]
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        return done.stdout.split()


KEPT = """
import json
from callops.sideband.journal import replay
for session in {ids}:
    for _, raw in replay(session):
        frame = json.loads(raw)
        if isinstance(frame, dict) and "event_id" in frame:
            print(frame["event_id"])
"""


def kill(process: subprocess.Popen[bytes], name: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(name)
    with contextlib.suppress(subprocess.TimeoutExpired):
        if name in (signal.SIGKILL, signal.SIGTERM):
            process.wait(40)
