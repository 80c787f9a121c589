from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers import fresh_database, stop
from tests.settings import MADE_UP

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = str(ROOT / "manage.py")


def environ(tmp_path: Path, **changes: str) -> dict[str, str]:
    """Nothing of the developer's; a database of its own."""
    path = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return path | MADE_UP | {"DATABASE_URL": f"sqlite:///{tmp_path}/calls.sqlite3", "PYTHONUNBUFFERED": "1"} | changes


def command(tmp_path: Path, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, MANAGE, *words]
    return subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False)


@contextlib.contextmanager
def serving(tmp_path: Path, *words: str, env: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a server in a process of its own."""
    line = [sys.executable, MANAGE, "serve", "--port", "0", *words]
    process = subprocess.Popen(line, cwd=tmp_path, env=env, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        for said in process.stdout:
            if found := re.match(r"Serving (\S+)", said.decode()):
                yield found[1], process
                break
        else:
            raise AssertionError(f"it never served; exit status {process.wait(10)}")
    finally:
        stop(process)
        process.stdout.close()


def test_serve_migrates_sqlite_answers_and_ends_well_on_sigterm(tmp_path: Path) -> None:
    with serving(tmp_path, env=environ(tmp_path)) as (address, process):
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{address}/readyz").json() == {"status": "ready"}
        assert httpx.get(f"{address}/metrics").status_code == 200
        assert httpx.get(f"{address}/login/", headers={"host": "localhost"}).status_code == 200

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0


def test_serve_joins_postgres_and_redis_once_they_are_migrated(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    env = environ(tmp_path, DATABASE_URL=fresh_database(postgres_url), REDIS_URL=redis_url)

    refused = command(tmp_path, "serve", "--port", "0", env=env)
    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr
    assert "Traceback" not in refused.stderr

    assert command(tmp_path, "migrate", env=env).returncode == 0
    with serving(tmp_path, env=env) as (address, process):
        assert httpx.get(f"{address}/readyz").json() == {"status": "ready"}

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0


def test_the_engine_alone_ends_well_on_sigterm(tmp_path: Path) -> None:
    env = environ(tmp_path)
    assert command(tmp_path, "migrate", env=env).returncode == 0
    process = subprocess.Popen([sys.executable, MANAGE, "engine"], cwd=tmp_path, env=env, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        assert process.stdout.readline() == b"The engine runs.\n"

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
    finally:
        stop(process)
        process.stdout.close()


def test_the_engine_does_not_start_on_a_database_without_its_tables(tmp_path: Path) -> None:
    refused = command(tmp_path, "engine", env=environ(tmp_path))

    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr


@pytest.mark.parametrize("words", [("serve",), ("engine",)])
def test_every_bad_setting_is_listed_at_start_without_a_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    env = environ(tmp_path, PUBLIC_URL="nonsense", OPENAI_API_KEY="", TWILIO_ACCOUNT_SID="wrong")

    refused = command(tmp_path, *words, env=env)

    assert refused.returncode == 1
    for name in ("PUBLIC_URL", "OPENAI_API_KEY", "TWILIO_ACCOUNT_SID"):
        assert f"\n  {name} " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
