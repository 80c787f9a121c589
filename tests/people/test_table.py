"""docs/security.md has one table of who may do what; every address and every socket behaves as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from django.urls import get_resolver

from callops.alerts import working
from callops.calls.models import Call, CallBack
from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard.hub import hub
from callops.dashboard.models import WallLink
from callops.dashboard.routing import websocket_urlpatterns
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import Role
from callops.sideband.models import Turn
from callops.supervision.models import Preset
from callops.transfers.models import Approval, TransferAttempt
from tests.rows import NOON, make_attempt, make_call, make_destination, make_line

DOC = Path(__file__).resolve().parents[2] / "docs" / "security.md"
WHO = ("nobody", *Role)
ROW = re.compile(r"^\| `(GET|POST|SOCKET) ([^`]*)` \| (.+) \|$", re.MULTILINE)
TABLE = {
    (method, path): tuple(cells.split(" | "))
    for method, path, cells in ROW.findall(DOC.read_text())
    if not path.startswith("account/")
}
ASYNC = ("POST", "webhooks/openai")
"""Served on another thread, which does not see what a test's own transaction holds."""
HTTP = [key for key in TABLE if key[0] != "SOCKET" and key != ASYNC]
OF_A_CALL = [(method, path) for method, path in HTTP if "call_id" in path or "transfer_id" in path or "task_id" in path]


def addresses(resolver: Any = None, before: str = "") -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        path = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from addresses(entry, path)
        elif not path.endswith("(?P<rest>.*)$"):
            yield path


def test_every_address_and_socket_stands_in_the_table_and_no_other() -> None:
    sockets = {str(entry.pattern) for entry in websocket_urlpatterns}

    assert {path for method, path in TABLE if method != "SOCKET"} == set(addresses())
    assert {path for method, path in TABLE if method == "SOCKET"} == sockets
    assert all(len(cells) == len(WHO) for cells in TABLE.values())


class House:
    """A call with everything the addresses name."""

    def __init__(self) -> None:
        self.line = make_line()
        make_destination()
        self.call = make_call(self.line)
        self.attempt = make_attempt(self.call)
        self.task = CallBack.objects.create(call=self.call, number="+15550123", why="x", opened_at=NOON, last_at=NOON)
        said = {"speaker": "caller", "text": "[card number]", "final": True, "started_at": NOON}
        self.turn = Turn.objects.create(call=self.call, item_id="item_1", position=0, **said)
        self.preset = Preset.objects.create(title="Slower", words="Speak slower.")
        self.approval = Approval.objects.create(id="a1", call=self.call, uri="tel:+1", asked_by="x", asked_at=NOON)

        known = {
            "key_hash": sha256(b"everybodys").hexdigest(),
            "made_at": NOON,
            "expires_at": now() + timedelta(hours=1),
        }
        self.link = WallLink.objects.create(by=User.objects.create_superuser("maker"), name="Hall", **known)

        self.incident = working.open_by_hand(title="Silence", by="maker", now=now())

    def fill(self, path: str) -> str:
        known = {
            "call_id": self.call.pk,
            "transfer_id": self.attempt.pk,
            "approval_id": self.approval.pk,
            "task_id": self.task.pk,
            "line_id": self.line.pk,
            "preset_id": self.preset.pk,
            "name": "openai.md",
            "seq": 1,
            "turn_id": self.turn.pk,
            "token": self.call.token,
            "key": "everybodys",
            "link_id": self.link.pk,
            "view_id": 1,
            "incident_id": self.incident.pk,
        }
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known[found[1]]), path)


@pytest.fixture
def house(db: None) -> House:
    return House()


def person(who: str, name: str = "") -> User:
    user = User.objects.create_user(name or who)
    groups.give(user, Role(who))
    return User.objects.get(pk=user.pk)


def client_of(who: str) -> Client:
    client = Client()
    if who != "nobody":
        client.force_login(person(who))
    return client


def asked(client: Client, method: str, address: str) -> str:
    """What the answer means, in the words of the table."""
    body = {"data": "{}", "content_type": "application/json"} if address.startswith("/api") else {}
    answer = client.get(address) if method == "GET" else client.post(address, **body)
    if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login/?next="):
        return "sign in"
    if address.startswith(("/twiml/", "/webhooks/")):
        return "signature" if answer.status_code in (400, 403) else "yes"
    assert answer.status_code < 500
    return "no" if answer.status_code == 403 else "yes"


@pytest.mark.parametrize(("method", "path"), HTTP, ids=[" ".join(key) for key in HTTP])
def test_each_address_does_what_the_table_says(house: House, method: str, path: str) -> None:
    found = tuple(asked(client_of(who), method, house.fill(path)) for who in WHO)

    assert found == TABLE[method, path]


@pytest.mark.django_db(transaction=True)
def test_openais_door_takes_only_what_openai_signed() -> None:
    assert tuple(asked(client_of(who), "POST", "/webhooks/openai") for who in WHO) == TABLE[ASYNC]


@pytest.mark.parametrize(("method", "path"), OF_A_CALL, ids=[" ".join(key) for key in OF_A_CALL])
def test_a_call_of_another_teams_line_is_not_there_at_any_address(house: House, method: str, path: str) -> None:
    user = person(Role.SUPERVISOR)
    team = Team.objects.create(name="south")
    team.members.add(user)
    team.lines.add(make_line(number="+15550101", name="South"))
    client = Client()
    client.force_login(user)
    address = house.fill(path)
    wish = {"destination": "frontdesk"} if address.endswith("/transfers") else {"act": "pause"}
    api = {"data": wish, "content_type": "application/json"} if address.startswith("/api") else {}

    answer = client.get(address) if method == "GET" else client.post(address, **api)

    assert answer.status_code == (403 if TABLE[method, path][WHO.index(Role.SUPERVISOR)] == "no" else 404)
    assert not house.call.interventions.exists()
    assert TransferAttempt.objects.get().cancelled_at is None


@pytest.mark.parametrize("page", ["/", "/calls/", "/callbacks/", "/transfers/", "/incidents/", "/api/calls"])
def test_no_list_shows_what_another_team_sees(house: House, page: str) -> None:
    Call.objects.filter(pk=house.call.pk).update(failure_stage="webhook_missing")
    user = person(Role.SUPERVISOR)
    Team.objects.create(name="south").members.add(user)
    client = Client()
    client.force_login(user)

    text = client.get(page).content.decode()

    assert house.call.pk not in text
    assert house.line.name not in text.replace(f'<option value="{house.line.pk}">{house.line.name}</option>', "")


async def close_code(path: str, user: object) -> int | None:
    """The code with which the socket is closed; None while it stays open."""
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
    socket.scope["user"] = user
    await socket.connect()
    told = await socket.receive_output(timeout=10)
    await socket.disconnect()
    return int(told["code"]) if told["type"] == "websocket.close" else None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [path for method, path in TABLE if method == "SOCKET"])
async def test_each_socket_does_what_the_table_says(path: str) -> None:
    house = await in_db(House)()
    address = f"{house.fill(path)}?seq=0&rev=0"
    found = []
    for who in WHO:
        user = AnonymousUser() if who == "nobody" else await in_db(person)(who)
        found.append({None: "yes", 4401: "sign in"}[await close_code(address, user)])
    await hub.stop()

    assert tuple(found) == TABLE["SOCKET", path]


@pytest.mark.django_db(transaction=True)
async def test_a_socket_of_another_teams_call_is_closed_and_one_whose_person_changes_has_to_come_back() -> None:
    house = await in_db(House)()
    user = await in_db(person)(Role.SUPERVISOR)
    address = f"/ws/calls/{house.call.pk}/?seq=0&rev=0"
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), address)
    socket.scope["user"] = user
    await socket.connect()
    assert (await socket.receive_output(timeout=10))["type"] == "websocket.send"

    team = await in_db(Team.objects.create)(name="south")
    await in_db(team.members.add)(user)
    await hub.check_people()
    codes = []
    while (told := await socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    codes.append(told["code"])
    codes.append(await close_code(address, await in_db(User.objects.get)(pk=user.pk)))
    await hub.stop()

    assert codes == [4012, 4404]
