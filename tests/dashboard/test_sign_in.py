"""Sign-in closes after five wrong passwords, by name and by address, and only for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.db import connection
from django.test import Client

from callops.dashboard import throttle
from callops.dashboard.models import FailedSignIn
from callops.dashboard.sign_in import wait_in_words
from tests.dashboard.conftest import NOON

RIGHT = {"username": "supervisor", "password": "correct-horse-1"}
WRONG = {"username": "supervisor", "password": "wrong"}


def test_the_right_password_leads_where_one_wanted_to_go(client: Client, supervisor: User) -> None:
    response = client.post("/login/", {**RIGHT, "next": "/calls/?state=live"})

    assert response.status_code == 303
    assert response.headers["Location"] == "/calls/?state=live"
    assert client.get("/").status_code == 200


def test_sign_in_never_leads_to_another_site(client: Client, supervisor: User) -> None:
    response = client.post("/login/", {**RIGHT, "next": "https://example.com/"})

    assert response.headers["Location"] == "/"


def test_a_wrong_password_is_said(client: Client, supervisor: User) -> None:
    response = client.post("/login/", WRONG)

    assert response.status_code == 422
    assert "correct username and password" in response.content.decode()


def test_after_five_wrong_passwords_for_one_name_even_the_right_one_must_wait(client: Client, supervisor: User) -> None:
    for last in range(5):
        client.post("/login/", WRONG, REMOTE_ADDR=f"192.0.2.{last}")

    response = client.post("/login/", {**RIGHT, "username": " SUPERVISOR"}, REMOTE_ADDR="192.0.2.77")

    assert response.status_code == 429
    wait_s = int(response.headers["Retry-After"])
    assert 240 < wait_s <= 301
    assert f"Too many wrong passwords. Try again in {wait_in_words(wait_s)}." in response.content.decode()


def test_after_five_wrong_passwords_from_one_address_it_must_wait(client: Client, supervisor: User) -> None:
    for name in range(5):
        client.post("/login/", {"username": f"nobody{name}", "password": "wrong"}, REMOTE_ADDR="192.0.2.1")

    assert client.post("/login/", RIGHT, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert client.post("/login/", RIGHT, REMOTE_ADDR="192.0.2.2").status_code == 303


def test_a_closed_sign_in_is_not_kept_closed_by_knocking(db: None) -> None:
    for second in range(5):
        assert throttle.try_sign_in(name="a", address="b", now=NOON + timedelta(seconds=second))
    for second in range(5, 300, 5):
        assert throttle.try_sign_in(name="a", address="b", now=NOON + timedelta(seconds=second)) is None

    assert throttle.try_sign_in(name="a", address="b", now=NOON + timedelta(seconds=302))


def test_the_wait_is_until_the_fifth_try_from_the_last_no_longer_counts(db: None) -> None:
    for second in (0, 10, 20, 30, 40):
        throttle.try_sign_in(name="a", address="b", now=NOON + timedelta(seconds=second))
    after = NOON + timedelta(seconds=100)

    assert throttle.try_sign_in(name="a", address="c", now=after) is None
    assert throttle.closed_for(name="A ", address="c", now=after) == 201
    assert throttle.closed_for(name="z", address="b", now=after) == 201
    assert throttle.closed_for(name="z", address="c", now=after) == 0
    assert throttle.try_sign_in(name="a", address="b", now=after + timedelta(seconds=201))


@pytest.mark.parametrize(("wait_s", "words"), [(200, "3 min 20 s"), (300, "5 min"), (59, "59 s"), (0, "1 s")])
def test_the_wait_is_said_in_minutes_and_seconds(wait_s: int, words: str) -> None:
    assert wait_in_words(wait_s) == words


def test_the_right_password_forgives_the_wrong_ones_before_it(client: Client, supervisor: User) -> None:
    for _ in range(4):
        client.post("/login/", WRONG)
    client.post("/login/", RIGHT)

    assert not FailedSignIn.objects.filter(name="supervisor").exists()


def test_sign_out_is_a_post_and_ends_the_session(desk: Client) -> None:
    assert desk.get("/logout/").status_code == 405
    assert desk.post("/logout/").status_code == 302
    assert desk.get("/").status_code == 302


@pytest.mark.parametrize("page", ["/", "/calls/", "/calls/01x/", "/transfers/"])
def test_pages_lead_strangers_to_sign_in_and_back(client: Client, db: None, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 302
    assert response.headers["Location"] == f"/login/?next={page}"


def test_a_fragment_asked_by_a_stranger_moves_the_whole_page_to_sign_in(client: Client, db: None) -> None:
    response = client.post("/calls/01x/transfer", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login/"


@pytest.mark.django_db(transaction=True)
def test_a_try_is_counted_before_the_password_is_looked_at_so_that_tries_side_by_side_see_each_other(
    client: Client,
) -> None:
    """Inside a transaction nobody else would see the try, and SQLite would be closed to writers while hashing."""
    found: list[tuple[bool, int]] = []

    def look(**_: object) -> None:
        found.append((connection.in_atomic_block, FailedSignIn.objects.count()))

    user_login_failed.connect(look)
    try:
        client.post("/login/", WRONG)
    finally:
        user_login_failed.disconnect(look)

    assert found == [(False, 1)]
