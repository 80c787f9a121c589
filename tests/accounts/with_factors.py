"""Second factors: asked for after the password, counted when wrong, sealed, kept in the audit, needed by some roles."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from callops.accounts.enrolment import Enrolled
from callops.audit.models import Entry
from callops.core.database import in_db
from callops.dashboard.hub import hub
from callops.dashboard.routing import websocket_urlpatterns
from callops.people import groups
from callops.people.roles import Role

SECRET = "JBSWY3DPEHPK3PXP"
RIGHT = {"username": "nora", "password": "correct-horse-1"}
ASKS = "/account/second-factor/"


@pytest.fixture(autouse=True)
def fresh(db: None) -> None:
    cache.clear()


@pytest.fixture
def nora() -> User:
    user = User.objects.create_user("nora", password=RIGHT["password"])
    groups.give(user, Role.SUPERVISOR)
    return user


@pytest.fixture
def codes(nora: User) -> list[str]:
    """She has an authenticator app, and these recovery codes."""
    totp.TOTP.activate(nora, SECRET)
    return RecoveryCodes.activate(nora).get_unused_codes()


def code(secret: str = SECRET) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def audit() -> list[tuple[str, str]]:
    rows = Entry.objects.order_by("number")
    return [(row.verb, str(row.detail.get("by") or row.detail.get("factor") or "")) for row in rows]


def test_without_a_factor_the_password_is_enough(client: Client, nora: User) -> None:
    answer = client.post("/login/", {**RIGHT, "next": "/calls/"})

    assert answer.headers["Location"] == "/calls/"
    assert client.get("/").status_code == 200
    assert client.session["used_at"]
    assert audit() == [("sign in", "password")]


def test_sign_in_never_leads_to_another_site(codes: list[str]) -> None:
    client = Client()
    client.post("/login/", {**RIGHT, "next": "https://evil.example/"})

    assert client.post(ASKS, {"code": codes[1]}).headers["Location"] == "/"


def test_the_code_follows_the_password_and_leads_where_one_wanted_to_go(client: Client, codes: list[str]) -> None:
    answer = client.post("/login/", {**RIGHT, "next": "/calls/?state=live"})

    assert answer.headers["Location"] == ASKS
    assert client.get("/").headers["Location"].startswith("/login/")
    assert client.post(ASKS, {"code": "000000"}).status_code == 422
    assert client.post(ASKS, {"code": code()}).headers["Location"] == "/calls/?state=live"
    assert client.get("/").status_code == 200
    assert audit() == [("sign in failed", "second factor"), ("sign in", "password, authenticator app")]


def test_a_recovery_code_works_once(codes: list[str]) -> None:
    for wanted in (302, 422):
        client = Client()
        client.post("/login/", RIGHT)
        assert client.post(ASKS, {"code": codes[0]}).status_code == wanted


def test_a_code_works_once(codes: list[str]) -> None:
    told = code()
    for wanted in (302, 422):
        client = Client()
        client.post("/login/", RIGHT)
        assert client.post(ASKS, {"code": told}).status_code == wanted


def test_five_wrong_codes_close_sign_in_and_the_right_password_does_not_open_it(codes: list[str]) -> None:
    for _ in range(5):
        client = Client()
        assert client.post("/login/", RIGHT).headers["Location"] == ASKS
        assert client.post(ASKS, {"code": "000000"}).status_code == 422
    cache.clear()

    closed = client.post(ASKS, {"code": code()})

    assert closed.status_code == 429
    assert 240 < int(closed.headers["Retry-After"]) <= 301
    assert "Try again in" in closed.content.decode()
    assert client.post("/login/", RIGHT).status_code == 429


def test_the_second_step_cannot_be_had_without_the_first(client: Client, codes: list[str]) -> None:
    assert client.get(ASKS).headers["Location"] == "/login/"
    assert client.post(ASKS, {"code": code()}).headers["Location"] == "/login/"


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_with_recovery_codes_shown_once_and_removed_again(client: Client, nora: User) -> None:
    client.post("/login/", RIGHT)
    page = client.get("/account/app/add/").content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]
    assert 'src="data:image/svg+xml' in page
    assert client.post("/account/app/add/", {"code": "000000"}).status_code == 200

    answer = client.post("/account/app/add/", {"code": code(secret)})

    assert answer.headers["Location"] == "/account/codes/"
    shown = re.findall(r"<li>([0-9A-Za-z -]+)</li>", client.get("/account/codes/").content.decode())
    assert len(shown) == 10
    assert shown[0] not in client.get("/account/codes/").content.decode()
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    assert client.post("/account/codes/new/").status_code == 302
    assert client.post("/account/app/remove/").status_code == 302
    assert not Authenticator.objects.exists()
    assert sorted(audit()[1:]) == [
        ("add second factor", "authenticator app"),
        ("add second factor", "recovery code"),
        ("remove second factor", "authenticator app"),
        ("remove second factor", "recovery code"),
        ("renew recovery codes", "recovery code"),
    ]


def test_after_five_minutes_the_account_page_asks_again_and_counts_wrong_passwords(client: Client, nora: User) -> None:
    client.post("/login/", RIGHT)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 301}]
    session.save()

    answer = client.get("/account/app/add/")

    assert answer.headers["Location"] == "/account/again/?next=%2Faccount%2Fapp%2Fadd%2F"
    for wanted in [422] * 5 + [429]:
        assert client.post("/account/again/", {"password": "wrong"}).status_code == wanted


def test_a_role_that_needs_a_factor_sees_no_page_before_it_has_one(client: Client, nora: User, configure: Any) -> None:
    configure(mfa_required_roles=("supervisor",))
    client.post("/login/", RIGHT)

    assert client.get("/").headers["Location"] == "/account/"
    assert client.get("/calls/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account/"
    assert client.get("/api/calls").status_code == 403
    assert client.get("/account/").status_code == 200
    totp.TOTP.activate(nora, SECRET)
    assert client.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_a_role_that_needs_a_factor_hears_no_socket_before_it_has_one(nora: User, configure: Any) -> None:
    configure(mfa_required_roles=("supervisor",))
    closed = []
    for has_factor in (False, True):
        if has_factor:
            await in_db(totp.TOTP.activate)(nora, SECRET)
        socket = WebsocketCommunicator(Enrolled(URLRouter(websocket_urlpatterns)), "/ws/board/?seq=0&rev=0")
        socket.scope["user"] = await in_db(User.objects.get)(pk=nora.pk)
        await socket.connect()
        closed.append((await socket.receive_output(timeout=10)).get("code"))
        await socket.disconnect()
    await hub.stop()

    assert closed == [4401, None]


def test_who_lost_everything_is_helped_by_command(client: Client, nora: User, codes: list[str]) -> None:
    call_command("forget_factors", "nora")

    assert client.post("/login/", RIGHT).headers["Location"] == "/"
    assert audit()[0][0] == "remove second factor"


def test_who_was_removed_does_not_come_in(client: Client, nora: User, codes: list[str]) -> None:
    client.post("/login/", RIGHT)
    User.objects.update(is_active=False)

    assert client.post(ASKS, {"code": code()}).status_code in (302, 403)
    assert client.get("/").status_code == 302
