"""The report page and its files: for who may see, in one click, with masked numbers unless asked otherwise."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.people import groups
from callops.people.roles import Role
from tests.reports.cases import silent_refer

pytestmark = pytest.mark.django_db


@pytest.fixture
def nora() -> Client:
    client = Client()
    user = User.objects.create_user("nora")
    groups.give(user, Role.ANALYST)
    client.force_login(user)
    return client


def test_the_page_shows_the_ladder_what_was_not_seen_and_both_reports(nora: Client) -> None:
    call, _ = silent_refer()

    page = nora.get(f"/calls/{call.pk}/report/").content.decode()

    assert "REFER at the carrier: not seen by 12:00:24" in page
    assert 'class="step absent"' in page
    assert f'href="/calls/{call.pk}/timeline/#event-' in page
    assert "<h3>A REFER was asked for and not seen at the carrier</h3>" in page
    assert "style=" not in page
    assert f'href="/calls/{call.pk}/report/"' in nora.get(f"/calls/{call.pk}/").content.decode()


@pytest.mark.parametrize("name", ["openai.md", "twilio.md", "ladder.svg", "ladder.txt"])
def test_each_part_is_a_file_of_its_own(nora: Client, name: str) -> None:
    call, _ = silent_refer()

    answer = nora.get(f"/calls/{call.pk}/report/{name}")

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"12:00:24" in answer.content


@pytest.mark.parametrize("name", ["nothing", "openai", "openai.md.md", ".md"])
def test_what_is_no_report_is_not_found(nora: Client, name: str) -> None:
    call, _ = silent_refer()

    assert nora.get(f"/calls/{call.pk}/report/{name}").status_code == 404


def test_nobody_reads_it_without_signing_in() -> None:
    call, _ = silent_refer()

    for address in ("report/", "report/openai.md"):
        assert Client().get(f"/calls/{call.pk}/{address}").status_code == 302


def test_the_page_asks_the_database_as_often_for_a_long_call_as_for_a_short_one(
    nora: Client, django_assert_max_num_queries
) -> None:
    call, _ = silent_refer()

    with django_assert_max_num_queries(30):
        nora.get(f"/calls/{call.pk}/report/")
