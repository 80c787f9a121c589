"""The wall: counts for a screen that hangs where anybody may see it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.audit.models import Entry
from callops.calls.models import Line
from callops.calls.words import State
from callops.core.clock import now
from callops.dashboard.models import WallLink
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import Role
from tests.dashboard.conftest import MakeCall, make_attempt, make_line, make_turn

pytestmark = pytest.mark.django_db


def link(client: Client, hours: str = "8") -> str:
    """The path of a new link, as it is shown once."""
    page = client.post("/wall/", {"name": "Hall", "hours": hours}).content.decode()
    found = re.search(r'data-copy="[^"]*?(/wall/\w+/)"', page)
    assert found
    return found[1]


def test_who_has_the_link_reads_counts_and_nothing_of_any_caller(desk: Client, make_call: MakeCall) -> None:
    line = make_line(name="Northline support")
    lost = make_call(line=line, from_number="+15550187")
    make_attempt(lost, outcome="no_answer", state="settled", target_label="Dora Desk", settled_at=now())
    talking = make_call(line=line, from_number="+15550188", carrier_sid="CA" + "7" * 32)
    make_turn(talking, 1, "my secret words")
    address = link(desk)

    page = Client().get(address).content.decode()

    assert "<b>1</b> call needs somebody" in page
    assert "<b>1</b> alone" in page
    assert re.search(r"<dt>live</dt><dd>2</dd>", page)
    assert "Northline support" in page
    for word in ("0187", "0188", "5550", "secret", "Dora", lost.pk, talking.pk, "CA7", "rtc_"):
        assert word not in page


def test_a_link_is_kept_as_a_hash_and_opens_nothing_once_it_expired_or_was_revoked(desk: Client) -> None:
    address = link(desk)
    row = WallLink.objects.get()
    assert row.key_hash not in address
    assert Client().get(address).status_code == 200

    WallLink.objects.update(expires_at=now() - timedelta(seconds=1))
    assert Client().get(address).status_code == 404

    WallLink.objects.update(expires_at=now() + timedelta(hours=1))
    assert desk.post(f"/wall/{row.pk}/revoke").status_code == 303
    gone = Client().get(address)
    assert gone.status_code == 404
    assert "expired, was revoked" in gone.content.decode()
    assert [entry.verb for entry in Entry.objects.order_by("pk")][-2:] == ["make wall link", "revoke wall link"]


def test_a_link_dies_with_the_rights_of_whoever_made_it(desk: Client, supervisor: User) -> None:
    address = link(desk)
    supervisor.user_permissions.clear()
    assert Client().get(address).status_code == 404

    supervisor.delete()
    assert Client().get(address).status_code == 404


def test_the_wall_counts_the_lines_its_maker_sees(make_call: MakeCall) -> None:
    ours, theirs = make_line(name="Ours"), make_line(name="Theirs", number="+15550101")
    make_call(line=ours)
    make_call(line=theirs)
    bound = User.objects.create_user("bound")
    groups.give(bound, Role.SUPERVISOR)
    team = Team.objects.create(name="one")
    team.lines.add(Line.objects.get(pk=ours.pk))
    team.members.add(bound)
    client = Client()
    client.force_login(bound)

    page = Client().get(link(client)).content.decode()

    assert "Ours" in page
    assert "Theirs" not in page


def test_nobody_revokes_the_link_of_another_but_an_administrator(desk: Client) -> None:
    link(desk)
    row = WallLink.objects.get()
    other, admin = User.objects.create_user("other"), User.objects.create_user("admin")
    groups.give(other, Role.SUPERVISOR)
    groups.give(admin, Role.ADMINISTRATOR)
    client = Client()

    client.force_login(other)
    assert client.post(f"/wall/{row.pk}/revoke").status_code == 404
    client.force_login(admin)
    assert client.post(f"/wall/{row.pk}/revoke").status_code == 303


def test_a_form_that_cannot_be_read_says_so_and_makes_nothing(desk: Client) -> None:
    answer = desk.post("/wall/", {"name": "", "hours": "9999"})

    assert answer.status_code == 422
    assert not WallLink.objects.exists()


@pytest.mark.parametrize("state", [state for state in State if state != State.ENDED])
def test_every_stage_has_its_count(desk: Client, make_call: MakeCall, state: State) -> None:
    make_call(state=state)

    page = Client().get(link(desk)).content.decode()

    assert f"<dt>{state.label}</dt><dd>1</dd>" in page
