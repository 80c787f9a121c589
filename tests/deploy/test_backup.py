"""A dump that is restored into an empty database says of every call what the first one said."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flows.world import ROOT, SECRETS
from tests.servers import Postgres, fresh_database


def manage(database_url: str, *words: str) -> str:
    env = {**os.environ, **SECRETS, "DATABASE_URL": database_url, "REDIS_URL": ""}
    line = [sys.executable, "manage.py", *words]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def filled(database_url: str) -> list[dict[str, Any]]:
    """The database has calls with a past; what it says of them."""
    script = "from tests.deploy import past; from django.core.management import call_command as run; "
    script += "run('migrate', verbosity=0); past.live(); past.tell()"
    return json.loads(manage(database_url, "shell", "--no-imports", "-c", script))


def told(database_url: str) -> list[dict[str, Any]]:
    return json.loads(manage(database_url, "shell", "--no-imports", "-c", "from tests.deploy import past; past.tell()"))


def judged_alike(calls: list[dict[str, Any]]) -> bool:
    return all(one["row"][:2] == one["again"] for call in calls for one in call["transfers"])


def test_a_copy_of_a_sqlite_database_in_use_says_the_same_of_every_call(tmp_path: Path) -> None:
    first, second = tmp_path / "calls.sqlite3", tmp_path / "restored.sqlite3"
    before = filled(f"sqlite:///{first}")
    with sqlite3.connect(first) as in_use, sqlite3.connect(second) as copy:
        in_use.execute("BEGIN")
        in_use.execute("SELECT * FROM calls_call").fetchone()
        sqlite3.connect(first).backup(copy)

    after = told(f"sqlite:///{second}")

    assert len({tuple(one["row"][:2]) for call in before for one in call["transfers"]}) >= 4
    assert after == before
    assert judged_alike(after)


def test_a_restored_dump_of_postgresql_says_the_same_of_every_call(postgres: Postgres, tmp_path: Path) -> None:
    first, second = fresh_database(postgres.url), fresh_database(postgres.url)
    before = filled(first)
    dump = tmp_path / "callops.dump"
    _run(postgres.program("pg_dump"), "--format=custom", f"--file={dump}", first)
    _run(
        postgres.program("pg_restore"),
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={second}",
        str(dump),
    )

    after = told(second)

    assert len({tuple(one["row"][:2]) for call in before for one in call["transfers"]}) >= 4
    assert after == before
    assert judged_alike(after)


def _run(program: Path, *words: str) -> None:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words", ["pg_dump --format=custom", "pg_restore --no-owner --exit-on-error --single-transaction"]
)
def test_the_guide_gives_the_commands_that_are_tested(words: str) -> None:
    assert words in (ROOT / "docs" / "running.md").read_text()
