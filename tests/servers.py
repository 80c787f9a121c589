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


class Postgres:
    """A PostgreSQL in a folder of its own, on one loopback port; it may be stopped and started again."""

    def __init__(self, initdb: Path, folder: Path) -> None:
        self._server, self._folder = initdb.with_name("postgres"), folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"postgres://callops@127.0.0.1:{self.port}/postgres"
        words = ["-D", str(folder / "db"), "--auth=trust", "--username=callops", "--encoding=UTF8", "--no-sync"]
        user, group = _owner()
        subprocess.run([initdb, *words], check=True, stdout=subprocess.DEVNULL, user=user, group=group)
        with (folder / "db" / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")  # not on the command line, so that who measures may change it

    def start(self) -> None:
        """It answers."""
        options = ["-p", str(self.port), "-k", str(self._folder), "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", "max_connections=200"]
        self._process = _start([self._server, "-D", str(self._folder / "db"), *options], self._folder)
        wait_until(lambda: _postgres_answers(self.port), "PostgreSQL starts")

    def stop(self) -> None:
        """It is gone, and whoever was connected was cut off."""
        if self._process is not None:
            stop(self._process, signal.SIGINT)

    def program(self, name: str) -> Path:
        """Another program of the same version: `pg_dump`, `pg_restore`."""
        return self._server.with_name(name)


class Redis:
    """A Redis that keeps nothing on disk, on one loopback port; it may be stopped and started again."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """It answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([self._program, *words], stdout=subprocess.DEVNULL)
        wait_until(lambda: _redis_answers(self.url), "Redis starts")

    def stop(self) -> None:
        """It is gone, and whoever was connected was cut off."""
        if self._process is not None:
            stop(self._process)


@contextlib.contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that answers; gone afterwards."""
    initdb = _postgres_program("initdb")
    need(initdb, "install postgresql-15")
    assert initdb
    with _private_folder("callops-postgres-") as folder:
        server = Postgres(initdb, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def a_redis() -> Iterator[Redis]:
    """A Redis that answers; gone afterwards."""
    program = shutil.which("redis-server")
    need(program, "install redis-server")
    assert program
    with tempfile.TemporaryDirectory(prefix="callops-redis-") as folder:
        server = Redis(program, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL that tests share."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The address of a PostgreSQL with an empty database; `fresh_database` makes more."""
    return fresh_database(postgres.url)


def fresh_database(postgres_url: str) -> str:
    """The address of a new, empty database on the same server."""
    name = f"callops_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of the Redis that tests share."""
    with a_redis() as server:
        yield server.url


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
