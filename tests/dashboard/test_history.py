"""The history: words found and shown, chips, completion, views, files, and the way from call to call."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from callops.audit.models import Entry
from callops.calls.models import Call
from callops.core.clock import now
from callops.core.database import in_db
from callops.finding import taking
from callops.finding.models import SavedView
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import Role
from callops.sideband.models import Turn
from tests.dashboard.conftest import MakeCall
from tests.rows import make_attempt, make_call, make_line

pytestmark = pytest.mark.django_db


def say(call: Call, text: str) -> Turn:
    position = Turn.objects.filter(call=call).count()
    known = {"item_id": f"i{position}", "speaker": "caller", "final": True, "started_at": now()}
    return Turn.objects.create(call=call, text=text, position=position, **known)


def client_of(name: str, role: Role) -> Client:
    user = User.objects.create_user(name)
    groups.give(user, role)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def test_the_line_that_was_found_is_marked_and_the_link_jumps_to_it(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    say(call, "Good morning")
    turn = say(call, "I want a Refund & <b>now</b>")
    make_call()

    page = desk.get("/calls/", {"q": "refund"})

    text = page.text
    assert [row.pk for row in page.context["page"].rows] == [call.pk]
    assert "I want a <mark>Refund</mark> &amp; &lt;b&gt;now&lt;/b&gt;" in text
    assert f'href="/calls/{call.pk}/?in=%3Fq%3Drefund#turn-{turn.pk}"' in text


def test_every_condition_is_a_chip_with_the_address_without_it(desk: Client, make_call: MakeCall) -> None:
    make_call(line=make_line(name="Support"))

    chips = desk.get("/calls/", {"q": '-refer:unseen wait>90s "thank you" wiat>3s', "state": "live"}).context["chips"]

    assert [chip.text for chip in chips] == [
        "state live",
        "not: REFER never seen at the carrier",
        "waited for a human longer than 1 min 30 s",
        "“thank you”",
        "wiat>3s",
    ]
    assert chips[0].without == "?" + "q=-refer%3Aunseen+wait%3E90s+%22thank+you%22+wiat%3E3s"
    assert chips[3].without == "?state=live&q=-refer%3Aunseen+wait%3E90s+wiat%3E3s"
    assert "Did you mean “wait”?" in chips[4].why_not


def test_what_is_not_understood_is_told_and_stays_in_the_box(desk: Client, make_call: MakeCall) -> None:
    call = make_call()

    page = desk.get("/calls/", {"q": "stage:unknown"})

    assert [row.pk for row in page.context["page"].rows] == [call.pk]
    assert 'value="stage:unknown"' in page.text
    assert "was left out" in page.text


@pytest.mark.parametrize(
    ("typed", "goes_on"),
    [
        ("mech", "mechanism:"),
        ("mechanism:re", "mechanism:redirect"),
        ("refund refer:un", "refund refer:unseen"),
        ("-is:mar", "-is:marked"),
        ("wai", "wait>10s"),
        ("since:", "since:24h"),
        ("line:sal", 'line:"Sales and more"'),
        ("dest:fr", "dest:frontdesk"),
    ],
)
def test_the_box_says_how_a_search_may_go_on(desk: Client, make_call: MakeCall, typed: str, goes_on: str) -> None:
    make_attempt(make_call(line=make_line(name="Sales and more")))

    offered = desk.get("/calls/complete", {"q": typed}).context["completions"]

    assert goes_on in offered
    assert all(each.startswith(typed.rpartition(" ")[0]) for each in offered)


def test_nothing_is_offered_inside_quotes_and_no_line_of_another_team(desk: Client) -> None:
    mine, _ = make_line(name="Mine"), make_line(name="Secret", number="+15550109")
    client = client_of("ada", Role.SUPERVISOR)
    team = Team.objects.create(name="mine")
    team.lines.add(mine)
    team.members.add(User.objects.get(username="ada"))

    assert desk.get("/calls/complete", {"q": '"is:'}).context["completions"] == []
    assert client.get("/calls/complete", {"q": "line:"}).context["completions"] == ["line:Mine"]
    assert "Secret" not in client.get("/calls/").text
    assert "Secret" not in client.get("/calls/", {"line": 2}).text


def test_from_a_call_of_a_search_one_goes_to_its_neighbours_and_back(desk: Client, make_call: MakeCall) -> None:
    newest, other, middle, oldest = (
        make_call(from_number=number, started_at=now() - timedelta(minutes=minutes))
        for minutes, number in enumerate(("+15550111", "+15559999", "+15550111", "+15550111"))
    )
    keys = sorted((newest.pk, middle.pk, oldest.pk))
    inside = quote("?q=0111", safe="")

    page = desk.get(f"/calls/{keys[1]}/?in={inside}")

    assert f'href="/calls/{keys[0]}/?in={inside}"' in page.text
    assert f'href="/calls/{keys[2]}/?in={inside}"' in page.text
    assert 'href="/calls/?q=0111"' in page.text
    assert other.pk not in page.text
    assert "Back to the search" not in desk.get(f"/calls/{keys[1]}/").text


def test_a_view_is_kept_shared_replaced_and_forgotten(desk: Client, make_call: MakeCall) -> None:
    ada, bob = client_of("ada", Role.SUPERVISOR), client_of("bob", Role.VIEWER)
    kept = ada.post("/calls/views/save", {"name": "Lost ones", "query": "?q=fate%3Alost&state=", "is_shared": "on"})
    ada.post("/calls/views/save", {"name": "By number", "query": "?q=0170123", "is_shared": "on"})
    ada.post("/calls/views/save", {"name": "Mine", "query": "?state=ended"})
    ada.post("/calls/views/save", {"name": "Mine", "query": "?state=live"})

    assert (kept.status_code, kept.headers["Location"]) == (303, "/calls/?q=fate%3Alost")
    assert [view.name for view in ada.get("/calls/").context["views"]] == ["By number", "Lost ones", "Mine"]
    assert [view.name for view in bob.get("/calls/").context["views"]] == ["Lost ones"]
    assert SavedView.objects.get(name="Mine").query == "?state=live"

    shared = SavedView.objects.get(name="Lost ones")
    bob.post(f"/calls/views/{shared.pk}/forget")
    assert SavedView.objects.filter(pk=shared.pk).exists()
    ada.post(f"/calls/views/{shared.pk}/forget")
    assert not SavedView.objects.filter(pk=shared.pk).exists()


def test_a_view_without_a_name_is_refused_and_the_search_stays(desk: Client, make_call: MakeCall) -> None:
    call = make_call()

    answer = desk.post("/calls/views/save", {"name": " ", "query": f"?q={call.pk}"})

    assert answer.status_code == 422
    assert "Give the view a name." in answer.text
    assert call.pk in answer.text


async def _taken(path: str, user: User) -> str:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(path)
    assert answer.status_code == 200
    streamed: Any = answer
    return b"".join([piece async for piece in streamed.streaming_content]).decode()


@pytest.mark.django_db(transaction=True)
async def test_all_that_was_found_is_taken_as_a_file_and_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "AT_ONCE", 2)
    user = await in_db(User.objects.create_superuser)("admin")
    line = await in_db(make_line)(name='=HYPERLINK("x")')
    calls = [await in_db(make_call)(line) for _ in range(5)]
    await in_db(make_attempt)(calls[0])
    await in_db(make_call)(from_number="+4930")

    rows = list(csv.DictReader(io.StringIO(await _taken("/calls/export.csv?q=0123", user))))
    listed = json.loads(await _taken("/calls/export.json?q=0123", user))

    assert [row["id"] for row in rows] == [row["id"] for row in listed]
    assert {row["id"] for row in rows} == {call.pk for call in calls}
    assert {row["from_number"] for row in rows} == {"+15550123"}
    assert {row["line"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert sum(row["transfers"] for row in listed) == 1
    assert rows[0]["started_at"] == "2026-03-01T12:00:00.000Z"
    entry = await in_db(Entry.objects.filter(verb="take calls").first)()
    assert entry is not None
    assert entry.detail["q"] == "0123"


@pytest.mark.django_db(transaction=True)
async def test_a_file_of_nothing_is_a_whole_file() -> None:
    user = await in_db(User.objects.create_superuser)("admin")

    assert (await _taken("/calls/export.csv", user)).strip() == ",".join(taking.COLUMNS)
    assert json.loads(await _taken("/calls/export.json", user)) == []


def test_a_portion_of_a_file_takes_two_queries(make_call: MakeCall) -> None:
    for _ in range(5):
        make_call(line=Call.objects.first().line if Call.objects.exists() else make_line())
    with CaptureQueriesContext(connection) as asked:
        rows = taking.portion(Call.objects.all(), None)

    assert (len(rows), len(asked)) == (5, 2)
