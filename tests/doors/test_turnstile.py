"""Requests in work at once: beyond what a door takes they are refused, but never a carrier's."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import Client

from callops.calls.models import Call
from callops.core import clock
from callops.core import turnstile as turnstiles
from callops.core.config import config
from callops.core.database import in_db
from callops.core.doors import API, DOORS, FULL, OPENAI, PAGES, PROBES, SIGN_IN, TWILIO, Door, door_of
from callops.core.metrics import text as metrics
from callops.core.models import Counter, Refusal
from callops.core.turnstile import Turnstile
from callops.site.asgi import application, django_application
from tests.rows import OUR_NUMBER, make_line
from tests.webhooks import ai
from tests.webhooks.carrier import sign

MAY_TAKE_S = 20.0
HOST = (b"host", b"testserver")


class Asked:
    """One request as a server hands it on; `answer` is what came back."""

    def __init__(self, turnstile: Turnstile, path: str, body: bytes = b"", headers: Any = ()) -> None:
        method = "POST" if body else "GET"
        self.scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": b""}
        self.scope |= {"headers": [HOST, *headers], "scheme": "http", "client": ("127.0.0.1", 1)}
        self._body, self._gone = [body], asyncio.Event()
        self.answer: list[dict[str, Any]] = []
        self.task = asyncio.create_task(turnstile(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop()}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.answer.append(message)

    @property
    def status(self) -> int:
        return int(self.answer[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(piece.get("body", b"") for piece in self.answer[1:]).decode()

    def hangs_up(self) -> None:
        """As Daphne tells it: first a message, and when that does not help soon enough, twice a cancel."""
        self._gone.set()
        self.task.cancel()
        asyncio.get_running_loop().call_soon(self.task.cancel)


class Slow:
    """Everything at `/slow` of a door works until it is told to end, in the request's thread; else Django answers."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].endswith("/slow"):
            return await django_application(scope, receive, send)
        await sync_to_async(self._work, thread_sensitive=True)()
        return None

    def _work(self) -> None:
        self.begun += 1
        assert self.may_end.wait(MAY_TAKE_S)


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    slow = Slow()
    yield slow
    slow.may_end.set()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every door that has a limit takes three at once."""

    def narrow(path: str) -> Door:
        door = door_of(path)
        return door if door.at_once is None else replace(door, at_once=3)

    monkeypatch.setattr(turnstiles, "door_of", narrow)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(MAY_TAKE_S):
        while not condition():
            await asyncio.sleep(0)


async def filled(turnstile: Turnstile, slow: Slow, path: str = "/slow") -> list[Asked]:
    most = slow.begun + 3
    asked = [Asked(turnstile, path) for _ in range(3)]
    await until(lambda: slow.begun == most)
    return asked


def test_every_door_has_a_limit_but_the_carriers() -> None:
    assert {door for door in DOORS if door.at_once is None} == {TWILIO, OPENAI}
    assert isinstance(application.application_mapping["http"], Turnstile)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
async def test_what_comes_while_a_door_is_full_is_told_to_try_again(slow: Slow) -> None:
    turnstile = Turnstile(slow)
    await filled(turnstile, slow)

    page, call = Asked(turnstile, "/calls/"), Asked(turnstile, "/healthz")
    await asyncio.gather(page.task, call.task)

    assert (page.status, page.text) == (503, f"{FULL}\n")
    assert (b"Retry-After", b"1") in page.answer[0]["headers"]
    assert call.status == 200  # another door


@pytest.mark.usefixtures("small")
async def test_the_api_is_told_in_json(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstiles, "_keep", lambda told: None)
    turnstile = Turnstile(slow)
    await filled(turnstile, slow, "/api/slow")

    asked = Asked(turnstile, "/api/calls")
    await asked.task

    assert (asked.status, json.loads(asked.text)) == (503, {"detail": FULL})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
async def test_a_carriers_webhook_is_answered_while_every_other_door_is_full(slow: Slow) -> None:
    await in_db(make_line)()
    turnstile = Turnstile(slow)
    for path in ("/slow", "/api/slow", "/login/slow", "/ws/slow", "/healthz/slow"):
        await filled(turnstile, slow, path)
    form = {"CallSid": "CA" + "1" * 32, "AccountSid": "AC" + "0" * 32, "From": "+15550123", "To": OUR_NUMBER}

    asked = [_from_twilio(turnstile, {**form, "CallSid": f"CA{index:032x}"}) for index in range(5)]
    announced = _from_openai(turnstile)
    await asyncio.gather(*(each.task for each in (*asked, announced)))

    assert [each.status for each in asked] == [200] * 5
    assert all("<Sip" in each.text for each in asked)
    assert announced.status != 503
    assert await in_db(Call.objects.filter(carrier_sid__startswith="CA0").count)() == 5
    assert all(turnstile.in_work(door) == 3 for door in (PAGES, API, SIGN_IN, PROBES))


@pytest.mark.usefixtures("small")
async def test_who_hangs_up_keeps_the_place_until_the_work_ends(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstiles, "_keep", lambda told: None)
    turnstile = Turnstile(slow)
    for asked in await filled(turnstile, slow):
        asked.hangs_up()
        await asyncio.wait([asked.task])
    one_more = Asked(turnstile, "/slow")
    await one_more.task

    assert one_more.status == 503
    assert (slow.begun, turnstile.in_work(PAGES)) == (3, 3)
    slow.may_end.set()
    await until(lambda: turnstile.in_work(PAGES) == 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
async def test_what_was_refused_is_on_the_page_of_the_doors_and_among_the_metrics(
    slow: Slow, admin_client: Client
) -> None:
    turnstile = Turnstile(slow)
    await filled(turnstile, slow)

    await asyncio.gather(*(Asked(turnstile, "/").task for _ in range(40)))

    def counted() -> int:
        return sum(row.count for row in Counter.objects.filter(name="full.pages"))

    async with asyncio.timeout(MAY_TAKE_S):
        while await in_db(counted)() < 40:
            await asyncio.sleep(0)
    assert await in_db(lambda: Refusal.objects.get().count)() == 40
    assert b'callops_counted_total{name="full.pages"} 40.0' in await in_db(metrics)()
    page = (await in_db(admin_client.get)("/doors/")).content.decode()
    assert "too many requests at once" in page


@pytest.mark.usefixtures("small")
async def test_what_was_refused_while_the_database_is_away_is_counted_later(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def keep(told: Any) -> None:
        if not kept:
            kept.append(0)
            raise OperationalError("away")
        kept.append(told["pages"])

    monkeypatch.setattr(turnstiles, "_keep", keep)
    turnstile = Turnstile(slow)
    await filled(turnstile, slow)
    await Asked(turnstile, "/").task
    await until(lambda: kept == [0] and turnstile._telling is not None and turnstile._telling.done())

    await Asked(turnstile, "/").task

    await until(lambda: sum(kept) == 2)


def _from_twilio(turnstile: Turnstile, form: dict[str, str]) -> Asked:
    signed = sign(config().public_url + "/twiml/inbound", form).encode()
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    body = urlencode(form).encode()
    length = (b"content-length", str(len(body)).encode())
    return Asked(turnstile, "/twiml/inbound", body, [kind, length, (b"x-twilio-signature", signed)])


def _from_openai(turnstile: Turnstile) -> Asked:
    body = json.dumps({**ai.announcement(), "type": "something.else"}).encode()
    stamp = str(int(clock.now().timestamp()))
    signed = ai.signature(config().openai_webhook_secrets[0], "wh_1", stamp, body.decode())
    names = {"webhook-id": "wh_1", "webhook-timestamp": stamp, "webhook-signature": signed}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    return Asked(turnstile, "/webhooks/openai", body, [(b"content-type", b"application/json"), *headers])
