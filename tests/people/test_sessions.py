"""A browser that nobody uses is signed out, and a socket lives no longer than the session it was opened in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from callops.core import clock
from callops.core.database import in_db
from callops.dashboard.hub import NOT_SIGNED_IN, RESTARTING, hub
from callops.people.sessions import BY_ITSELF, use
from callops.site.asgi import application

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
MINUTE = timedelta(minutes=1)
LIFE = timedelta(seconds=settings.SESSION_COOKIE_AGE)


def signed_in(name: str = "nora") -> Client:
    client = Client()
    client.force_login(User.objects.create_user(name, password="correct-horse-1"))
    return client


def ends(client: Client) -> Any:
    return Session.objects.get(session_key=client.session.session_key).expire_date


def runs_out(client: Client, left: timedelta) -> None:
    """The session was last used long ago and has this much life left."""
    session = client.session
    use(session, clock.now() - LIFE + left)
    session.save()
    Session.objects.filter(session_key=session.session_key).update(expire_date=clock.now() + left)


@pytest.mark.django_db
def test_a_session_that_nobody_used_is_over() -> None:
    client = signed_in()
    runs_out(client, -MINUTE)

    assert client.get("/").headers["Location"] == "/login/?next=/"
    assert client.get("/api/calls").status_code == 401


@pytest.mark.django_db
def test_what_a_person_asks_for_keeps_the_session_and_its_cookie() -> None:
    client = signed_in()
    runs_out(client, MINUTE)

    answer = client.get("/")

    assert ends(client) > clock.now() + LIFE - MINUTE
    assert answer.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == settings.SESSION_COOKIE_AGE


@pytest.mark.django_db
def test_what_a_page_asks_for_by_itself_does_not() -> None:
    client = signed_in()
    runs_out(client, MINUTE)

    client.get("/calls/", headers={BY_ITSELF: "yes"})

    assert ends(client) < clock.now() + 2 * MINUTE


@pytest.mark.django_db
def test_use_is_noted_once_a_minute() -> None:
    client = signed_in()
    with clock.standing_at(clock.now()):
        client.get("/")
        first = ends(client)
        client.get("/calls/")

    assert ends(client) == first


def asking_by_themselves() -> Iterator[tuple[str, str]]:
    for path in TEMPLATES.rglob("*.html"):
        for tag in re.findall(r"<\w+[^<]*hx-trigger=\"(?:every|load)[^<]*>", path.read_text()):
            yield path.name, tag


def test_every_part_of_a_page_that_asks_by_itself_says_so() -> None:
    found = list(asking_by_themselves())

    assert len(found) >= 2
    assert all(f'"{BY_ITSELF}": "yes"' in tag for _, tag in found)


@asynccontextmanager
async def opened(client: Client, origin: str | None = "http://localhost") -> Any:
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}".encode())]
    headers += [(b"origin", origin.encode())] if origin else []
    socket = WebsocketCommunicator(application, "/ws/board/", headers=headers)
    connected, _ = await socket.connect(timeout=10)
    try:
        yield socket if connected else None
    finally:
        await socket.disconnect()
        await hub.stop()


async def close_code(socket: WebsocketCommunicator) -> int:
    await hub.check_people()
    while (told := await socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    return int(told["code"])


@pytest.mark.django_db(transaction=True)
async def test_signing_out_closes_the_sockets_of_this_browser_and_no_other() -> None:
    here, there = await in_db(signed_in)(), Client()
    await in_db(there.force_login)(await in_db(User.objects.get)())
    async with opened(here) as mine, opened(there) as other:
        await in_db(here.post)("/logout/")

        assert await close_code(mine) == NOT_SIGNED_IN
        assert (await other.receive_output(timeout=10))["type"] == "websocket.send"
        assert other.future.done() is False


@pytest.mark.django_db(transaction=True)
async def test_a_session_that_ran_out_closes_its_socket() -> None:
    client = await in_db(signed_in)()
    async with opened(client) as socket:
        await in_db(runs_out)(client, -MINUTE)

        assert await close_code(socket) == NOT_SIGNED_IN


@pytest.mark.django_db(transaction=True)
async def test_a_new_password_ends_what_was_open_with_the_old_one() -> None:
    client = await in_db(signed_in)()

    def change() -> None:
        user = User.objects.get()
        user.set_password("another-horse-2")
        user.save()

    async with opened(client) as socket:
        await in_db(change)()
        assert await close_code(socket) == RESTARTING
    async with opened(client) as socket:
        assert (await socket.receive_output(timeout=10)) == {"type": "websocket.close", "code": NOT_SIGNED_IN}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://localhost.evil.example.com", "null", None])
async def test_a_socket_that_another_site_opens_is_refused(origin: str | None) -> None:
    async with opened(await in_db(signed_in)(), origin) as socket:
        assert socket is None
