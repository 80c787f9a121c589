"""PostgreSQL and Redis for tests: started on free loopback ports when first needed, stopped by their process ids."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.need import need

START_MAY_TAKE_S = 30.0
POSTGRES_HOMES = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/local/pgsql/bin"))

_numbers = itertools.count(1)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], what: str, deadline_s: float = START_MAY_TAKE_S) -> None:
    """Return once `condition` holds; `AssertionError` naming `what` when it does not in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {deadline_s:g} s"
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
    """The process is gone afterwards, in good order if it can."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(START_MAY_TAKE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL with an empty database; `fresh_database` makes more."""
    initdb = _postgres_program("initdb")
    need(initdb, "install postgresql-15")
    assert initdb
    with _private_folder("callops-postgres-") as folder:
        port = free_port()
        words = ["-D", str(folder / "db"), "--auth=trust", "--username=callops", "--encoding=UTF8", "--no-sync"]
        user, group = _owner()
        subprocess.run([initdb, *words], check=True, stdout=subprocess.DEVNULL, user=user, group=group)
        options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = initdb.with_name("postgres")
        process = _start([server, "-D", str(folder / "db"), *options, "-c", "max_connections=200"], folder)
        try:
            wait_until(lambda: _postgres_answers(port), "PostgreSQL starts")
            yield fresh_database(f"postgres://callops@127.0.0.1:{port}/postgres")
        finally:
            stop(process, signal.SIGINT)


def fresh_database(postgres_url: str) -> str:
    """The address of a new, empty database on the same server."""
    name = f"callops_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a Redis that keeps nothing on disk."""
    program = shutil.which("redis-server")
    need(program, "install redis-server")
    assert program
    with tempfile.TemporaryDirectory(prefix="callops-redis-") as folder:
        port = free_port()
        words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            wait_until(lambda: _redis_answers(url), "Redis starts")
            yield url
        finally:
            stop(process)


def _postgres_program(name: str) -> Path | None:
    for home in POSTGRES_HOMES:
        if (home / name).exists():
            return home / name
    found = shutil.which(name)
    return Path(found) if found else None


def _owner() -> tuple[int | None, int | None]:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.geteuid() != 0:
        return None, None
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


@contextlib.contextmanager
def _private_folder(prefix: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        user, group = _owner()
        if user is not None and group is not None:
            os.chown(name, user, group)
        yield Path(name)


def _start(words: Sequence[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    user, group = _owner()
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [str(word) for word in words], stdout=quiet, stderr=quiet, cwd=folder, user=user, group=group
    )


def _postgres_answers(port: int) -> bool:
    try:
        psycopg.connect(f"postgres://callops@127.0.0.1:{port}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
