"""Each limit of the table of doors holds, and the table in docs/security.md is the one in the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from callops.api.tokens import issue
from callops.core import clock, doors
from callops.core.config import Config
from callops.core.database import in_db
from callops.core.doors import API, DOORS, OPENAI, PAGES, PROBES, SIGN_IN, SOCKETS, TWILIO, Door, door_of
from callops.core.models import Counter, Refusal
from callops.core.proxies import asker
from callops.core.rates import Rates, rates
from callops.dashboard import consumers
from callops.dashboard.doors_page import limits_of
from callops.dashboard.hub import hub
from callops.dashboard.routing import websocket_urlpatterns
from callops.site.asgi import application
from tests.rows import OUR_NUMBER, make_line
from tests.webhooks import ai
from tests.webhooks.carrier import AI_LEG, FORM, ask

DOC = Path(__file__).resolve().parents[2] / "docs" / "security.md"
NOON = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _the_same_minute() -> Any:
    """Tests near the end of a minute count as those in its middle."""
    with clock.standing_at(NOON):
        yield


def used_up(who: object, limit: int | None) -> None:
    """They asked as often as they may."""
    for _ in range(limit or 0):
        assert not rates.wait_s(who, limit, NOON.timestamp())


def test_the_table_of_the_documentation_is_the_table_of_the_code() -> None:
    rows = re.findall(r"^\| ([\w-]+) \| ((?:`/[\w/]*` ?)+)\| (.+?) \|$", DOC.read_text(), flags=re.MULTILINE)
    said = [(name, tuple(re.findall("`([^`]+)`", paths)), tuple(cells.split(" | "))) for name, paths, cells in rows]

    assert said == [(door.name, door.paths, dataclasses.astuple(limits_of(door))[1:]) for door in DOORS]


def test_the_other_numbers_of_the_documentation_are_those_of_the_code() -> None:
    text = DOC.read_text()

    assert f"headers have {doors.HEADERS_S:g} s" in text
    assert f"closes after {doors.IDLE_S} s" in text
    assert f"at most {doors.COMMANDS_A_MINUTE} a minute may be commands" in text
    assert f"at most {doors.ADDRESSES:,} people and addresses" in text


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/twiml/inbound", TWILIO),
        ("/webhooks/openai", OPENAI),
        ("/api/calls", API),
        ("/login/", SIGN_IN),
        ("/account/app/add/", SIGN_IN),
        ("/ws/board/", SOCKETS),
        ("/readyz", PROBES),
        ("/", PAGES),
        ("/calls/x/transfer", PAGES),
        ("/static/callops/app.css", PAGES),
    ],
)
def test_every_address_is_behind_one_door(path: str, door: Door) -> None:
    assert door_of(path) is door


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path", ["/twiml/inbound", "/webhooks/openai", "/api/calls/x/hangup", "/login/", "/", "/readyz"]
)
def test_a_body_larger_than_the_door_takes_is_413_with_a_sentence(client: Client, path: str) -> None:
    door = door_of(path)

    answer = client.post(path, b"x" * (door.body + 1), content_type="text/plain")
    fits = client.post(path, b"x" * door.body, content_type="text/plain")

    assert answer.status_code == 413
    assert re.search("More than .* KB is not taken|larger than any form", answer.content.decode())
    assert fits.status_code not in (413, 500)
    assert not Refusal.objects.filter(door=door.name, count__gt=1).exists()


@pytest.mark.django_db
def test_a_person_who_asks_without_an_end_gets_429_and_others_do_not(client: Client) -> None:
    user, other = User.objects.create_user("ann"), User.objects.create_user("bob")
    client.force_login(user)
    used_up((PAGES.name, user.pk), PAGES.a_minute)

    answer = client.get("/calls/")
    client.force_login(other)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "40"
    assert answer.headers["HX-Reswap"] == "none"
    assert "Try again in 40 s" in answer.content.decode()
    assert client.get("/calls/").status_code == 200


@pytest.mark.django_db
def test_the_page_of_sign_in_is_counted_by_address(client: Client) -> None:
    used_up((SIGN_IN.name, "192.0.2.1"), SIGN_IN.a_minute)

    assert client.get("/login/", REMOTE_ADDR="192.0.2.1").status_code == 429
    assert client.get("/login/", REMOTE_ADDR="192.0.2.2").status_code == 200


@pytest.mark.django_db
def test_probes_are_counted_by_address(client: Client) -> None:
    used_up((PROBES.name, "192.0.2.1"), PROBES.a_minute)

    answer = client.get("/healthz", REMOTE_ADDR="192.0.2.1")

    assert (answer.status_code, answer.headers["Content-Type"]) == (429, "text/plain")
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["token", "session"])
def test_a_script_that_reads_without_an_end_gets_429(by: str) -> None:
    user = User.objects.create_user("script")
    client = Client(headers={"Authorization": f"Bearer {issue(user, NOON)}"} if by == "token" else {})
    client.force_login(user)
    used_up((API.name, user.pk), API.a_minute)

    answer = client.get("/api/calls")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "40"
    assert answer.json() == {"detail": doors.too_often(40)}


@pytest.mark.django_db
def test_guesses_at_tokens_get_429_and_a_good_token_from_the_same_address_does_not() -> None:
    good = issue(User.objects.create_user("script"), NOON)
    bad = Client(headers={"Authorization": "Bearer callops_guess"})

    told = [bad.get("/api/calls").status_code for _ in range((API.bad_a_minute or 0) + 1)]

    assert told == [401] * (API.bad_a_minute or 0) + [429]
    assert Client(headers={"Authorization": f"Bearer {good}"}).get("/api/calls").status_code == 200
    assert Refusal.objects.get().count == API.bad_a_minute


@pytest.mark.django_db
def test_what_twilio_did_not_sign_gets_429_and_what_it_signed_never_does(client: Client) -> None:
    make_line()
    limit = TWILIO.bad_a_minute or 0

    told = [client.post("/twiml/inbound", "a=b", FORM) for _ in range(limit + 1)]
    signed = [ask("/twiml/inbound", CallSid=AI_LEG, To=OUR_NUMBER).status_code for _ in range(limit * 2)]

    assert [answer.status_code for answer in told] == [403] * limit + [429]
    assert told[-1].headers["Retry-After"] == "40"
    assert set(signed) == {200}
    assert Refusal.objects.get().count == Counter.objects.get(name="refused.twilio_signature").count == limit


@pytest.mark.django_db(transaction=True)
async def test_what_openai_did_not_sign_gets_429_and_what_it_signed_never_does(
    configure: Callable[..., Config],
) -> None:
    async with ai.OpenAi() as openai:
        configure(openai_base_url=openai.url)
        used_up(("unsigned", OPENAI.name, "127.0.0.1"), (OPENAI.bad_a_minute or 0) - 1)

        told = [await ai.post("{}", {}) for _ in range(2)]
        signed = [await ai.deliver('{"id": "e", "type": "x"}', delivery=f"wh_{n}", at=NOON) for n in range(5)]

    assert [answer.status_code for answer in told] == [400, 429]
    assert told[-1].headers["Retry-After"] == "40"
    assert {answer.status_code for answer in signed} == {200}


@pytest.mark.django_db(transaction=True)
async def test_a_browser_that_opens_sockets_without_an_end_is_told_to_come_back_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = await in_db(User.objects.create)(username="ann")
    monkeypatch.setattr(consumers, "SOCKETS", dataclasses.replace(SOCKETS, a_minute=0))
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/board/")
    socket.scope["user"] = user

    await socket.connect()
    told = await socket.receive_output(timeout=10)
    await socket.disconnect()
    await hub.stop()

    assert told == {"type": "websocket.close", "code": 1013}


async def test_a_socket_at_an_address_that_is_none_is_refused_and_nothing_fails() -> None:
    socket = WebsocketCommunicator(application, "/ws/nowhere/", headers=[(b"origin", b"http://testserver")])

    assert await socket.connect() == (False, 1000)


def test_the_next_minute_begins_anew_and_who_finds_no_room_is_let_through() -> None:
    few = Rates(most=2)

    assert [few.wait_s("ann", 1, 119.5) for _ in range(2)] == [0, 1]
    assert few.wait_s("ann", 1, 120.0) == 0
    assert few.wait_s("bob", 1, 120.0) == 0
    assert [few.wait_s("cid", 1, 120.0) for _ in range(3)] == [0, 0, 0]
    assert few.wait_s("ann", 1, 120.0) == 60
    assert few.wait_s("ann", None, 120.0) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("nonsense", "nonsense")],
)
def test_an_ipv6_customer_has_one_network_however_many_addresses(rf: Any, address: str, network: str) -> None:
    assert asker(rf.get("/", REMOTE_ADDR=address)) == network
