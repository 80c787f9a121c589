"""Thousands of hostile requests at every door of a served process: it lives, needs no more memory, and never fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.doors.enemy import Enemy, Known
from tests.doors.siege import Siege, besiege, memory_mb
from tests.fuzzing import IS_LONG
from tests.people.test_table import TABLE
from tests.site.test_serve import command, environ, serving

REQUESTS = 10_000 if IS_LONG else 1_000
SEED = 20260301
GROWS_AT_MOST_MB = 30.0
FURNISH = """
import json
from django.contrib.auth.models import User
from django.test import Client
from callops.api.tokens import issue
from callops.core import clock
from tests.people.test_table import House
house, root, client = House(), User.objects.get(username="maker"), Client()
client.force_login(root)
names = {"call_id": house.call.pk, "transfer_id": house.attempt.pk, "token": house.call.token, "rest": "x"}
cookie = client.cookies["sessionid"].value
print(json.dumps({"cookie": cookie, "token": issue(root, clock.now()), "names": names}))
"""
"""A call with all that hangs on it, and somebody who may everything; what they have is the last word said."""


def addresses(method: str, *begins: str) -> list[str]:
    """Of the table in docs/security.md, without the kinds of their parameters."""
    paths = [path for verb, path in TABLE if verb == method and path.startswith(begins)]
    return [path.replace("<str:", "<").replace("<int:", "<").replace("<slug:", "<") for path in paths]


def known(host: str, said: dict) -> Known:
    ours = ("twiml/", "webhooks/", "api/", "login/", "healthz", "readyz", "metrics", "logout/")
    return Known(
        host=host,
        **said,
        pages=[path for path in addresses("GET", "") if not path.startswith(ours)],
        acts=[path for path in addresses("POST", "") if not path.startswith(ours)],
        api=[f"{method} {path}" for method in ("GET", "POST") for path in addresses(method, "api/")],
        doors=addresses("POST", "twiml/"),
    )


@pytest.mark.timeout(900)
def test_hostile_requests_at_every_door_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = environ(tmp_path)
    assert command(tmp_path, "migrate", env=env).returncode == 0
    furnished = command(tmp_path, "shell", "-c", FURNISH, env=env)
    assert furnished.returncode == 0, furnished.stderr
    siege = Siege()

    with serving(tmp_path, "--no-engine", env=env) as (address, process):
        parts = urlsplit(address)
        enemy = Enemy(known(parts.netloc, json.loads(furnished.stdout.splitlines()[-1])), SEED)
        asyncio.run(besiege(siege, enemy, parts.port, REQUESTS // 4))
        warm_mb = memory_mb(process.pid)
        asyncio.run(besiege(siege, enemy, parts.port, REQUESTS - REQUESTS // 4))
        grown_mb = memory_mb(process.pid) - warm_mb
        alive = httpx.get(f"{address}/readyz", headers={"Host": parts.netloc}).json()

    with capsys.disabled():
        print(f"\n{siege.table()}\nmemory {warm_mb:.0f} MB after a quarter, {grown_mb:+.1f} MB at the end")
    assert siege.failures == []
    assert siege.sent == REQUESTS
    assert alive == {"status": "ready"}
    assert grown_mb < GROWS_AT_MOST_MB
    assert all(door.statuses.total() > REQUESTS // 12 for door in siege.doors.values())
