"""`manage.py person`: people are added, given roles and teams, and removed for good within seconds."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from callops.api.tokens import issue
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import Role
from tests.rows import NOON, make_line

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("person", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "correct-horse-battery-1")


def test_a_person_is_added_with_role_and_team(password: None) -> None:
    make_line()

    said = run("nora", "--add", "--role", "supervisor", "--team", "north", "--line", "+15550100")

    assert said == "nora: supervisor, north\n"
    assert User.objects.get().check_password("correct-horse-battery-1")
    assert Team.objects.get().lines.get().number == "+15550100"
    assert run() == said


def test_what_is_not_named_stays_and_none_takes_away(password: None) -> None:
    run("nora", "--add", "--role", "analyst", "--team", "north")

    assert run("nora") == "nora: analyst, north\n"
    assert run("nora", "--role", "none") == "nora: no role, north\n"
    assert run("nora", "--no-teams") == "nora: no role, all lines\n"


def test_what_makes_no_sense_is_said(password: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run("nora", "--add")
    for words, why in (
        (("otto",), "There is no otto"),
        (("nora", "--add"), "already"),
        (("nora", "--team", "x", "--line", "+1"), "no line"),
    ):
        with pytest.raises(CommandError, match=why):
            run(*words)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "123")
    with pytest.raises(CommandError, match="password"):
        run("otto", "--add")


def test_who_is_removed_is_out_at_once_with_session_and_token(password: None) -> None:
    run("nora", "--add", "--role", "supervisor")
    user = User.objects.get()
    browser, api = Client(), Client(headers={"Authorization": f"Bearer {issue(user, NOON)}"})
    browser.force_login(user)
    assert browser.get("/").status_code == 200
    assert api.get("/api/calls").status_code == 200

    assert run("nora", "--remove").endswith(", removed\n")

    assert browser.get("/").status_code == 302
    assert api.get("/api/calls").status_code == 401
    assert groups.role_of(user) == Role.SUPERVISOR


def test_nobody_is_added_whose_entry_cannot_be_written(password: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **more: object) -> None:
        raise RuntimeError("the audit is away")

    monkeypatch.setattr("callops.audit.chain.record", fails)

    with pytest.raises(RuntimeError):
        call_command("person", "nora", "--add")
    assert not User.objects.filter(username="nora").exists()


def test_a_name_that_is_not_one_is_refused(password: None) -> None:
    with pytest.raises(CommandError, match="valid username"):
        call_command("person", "the canary", "--add")
    assert not User.objects.exists()
