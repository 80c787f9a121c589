"""What went wrong is said with its reason and with what one can do, also while there is no database to read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client
from django.utils.module_loading import import_string

from callops.dashboard import signs

pytestmark = pytest.mark.django_db


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def read(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr("callops.dashboard.history.calls", read)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OperationalError("connection refused"), 503, "The database does not answer"),
        (OperationalError("database or disk is full"), 503, "The disk of the database is full"),
        (RuntimeError("out of luck"), 500, "Something went wrong on our side"),
    ],
)
def test_a_page_that_cannot_be_read_says_why_and_what_it_means_for_calls(
    desk: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    fail(monkeypatch, error)
    desk.raise_request_exception = False

    answer = desk.get("/calls/?state=live")

    assert answer.status_code == status
    assert said in words(answer)
    assert "Calls " in words(answer) and "whoever runs callops" in words(answer).lower()
    assert ('href="/calls/?state=live">Try again' in answer.content.decode()) is (status == 503)
    assert str(error) not in words(answer)


def test_the_page_without_a_database_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    request = type("Request", (), {"path": "/", "method": "GET", "get_full_path": lambda self: "/"})()

    with django_assert_num_queries(0):
        try:
            raise OperationalError("gone")
        except OperationalError:
            answer = import_string("callops.dashboard.lost.server_error")(request)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_carriers_are_answered_as_ever_when_the_database_is_away() -> None:
    request = type("Request", (), {"path": "/twiml/inbound", "method": "POST"})()
    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = import_string("callops.dashboard.lost.server_error")(request)

    assert answer.status_code == 500


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [("/nowhere/", 404, "mistyped"), ("/calls/01nobody/", 404, "another team"), ("/audit/", 403, "administrator")],
)
def test_what_is_not_there_or_not_allowed_is_explained(desk: Client, path: str, status: int, said: str) -> None:
    answer = desk.get(path)

    assert answer.status_code == status
    assert said in words(answer)


def test_a_form_from_an_old_page_is_told_from_a_missing_right(supervisor: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(supervisor)

    answer = client.post("/logout/")

    assert answer.status_code == 403
    assert "This page was too old" in words(answer) and "load the page again" in words(answer)


def test_what_is_too_big_and_what_nobody_understands_are_two_things(desk: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    many = {f"field{number}": "x" for number in range(9)}

    big = desk.post("/login/", many)
    strange = desk.get("/calls/", headers={"Host": "some.where.else"})

    assert (big.status_code, strange.status_code) == (413, 400)
    assert "too big" in words(big)
    assert "ALLOWED_HOSTS" in words(strange)


def test_sign_in_says_that_one_comes_back(client: Client) -> None:
    assert "back on the page you wanted" in words(client.get("/login/?next=/calls/"))
    assert "back on the page you wanted" not in words(client.get("/login/"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/calls/", "There were no calls so far"),
        ("/calls/?q=nobody", "No call fits this. Take it away"),
        ("/calls/?q=nobody&state=live", "all of this at once. Take one of the conditions above away"),
        ("/transfers/", "No transfer was asked for"),
        ("/incidents/", "An incident opens by itself"),
        ("/callbacks/", "Nobody is waiting to be called back"),
    ],
)
def test_an_empty_page_says_what_would_stand_there(desk: Client, path: str, said: str) -> None:
    assert said in re.sub(" +", " ", words(desk.get(path)))


def test_each_filter_can_be_taken_away_by_itself(desk: Client) -> None:
    text = desk.get("/calls/?q=nobody&state=live").content.decode()

    assert 'href="/calls/?state=live" aria-label="Without: “nobody”"' in text
    assert 'href="/calls/?q=nobody" aria-label="Without: state live"' in text


def test_who_reads_no_numbers_is_told_that_none_are_searched(client: Client, watcher: User) -> None:
    client.force_login(watcher)

    assert "ids and words without digits are searched for" in words(client.get("/calls/?q=5550123"))


def test_an_audit_without_entries_says_so(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))

    answer = client.get("/audit/?who=nobody")

    assert '<p class="empty shown">' in answer.content.decode()
    assert "Show all entries" in words(answer)


@pytest.mark.parametrize(("free_gb", "tones"), [(None, []), (10.0, []), (0.3, ["look"]), (0.001, ["failed"])])
def test_a_disk_without_room_is_seen_on_every_page(free_gb: float | None, tones: list[str]) -> None:
    assert [notice.tone for notice in signs.disk(free_gb)] == tones


def test_the_full_disk_stands_above_the_page(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callops.core.room.free_gb", lambda: 0.001)

    text = words(desk.get("/"))

    assert "The disk of the database is full" in text
    assert "Incident:" not in text


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "413", "429", "500", "503", "too_often"])
def test_every_such_page_is_a_whole_page_that_leads_back(name: str) -> None:
    text = render_to_string(f"{name}.html")

    assert '<html lang="en">' in text and '<main id="main"' in text and 'href="#main"' in text
    assert text.count("<h1>") == 1
    assert re.search('<a href="/(login/)?">Back to', text)
