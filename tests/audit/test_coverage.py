"""Every act and every reading of a call is in the audit, an act in the transaction that does it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import resolve

from callops.api.tokens import issue
from callops.audit import chain
from callops.audit.middleware import Recent, _name
from callops.audit.models import Entry
from callops.audit.verbs import ACTS, READINGS, SEARCHES
from callops.calls.models import Call, Event
from callops.people import groups
from callops.people.roles import Role
from callops.transfers.models import TransferAttempt
from tests.people.test_table import TABLE, House
from tests.rows import NOON, at, make_session

pytestmark = pytest.mark.django_db
NOT_ACTS = {"login/", "logout/"}
"""Signing in and out have entries of their own."""


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def nora() -> Client:
    client = Client()
    client.force_login(administrator())
    return client


def administrator() -> User:
    user = User.objects.create_user("nora")
    groups.give(user, Role.ADMINISTRATOR)
    return User.objects.get(pk=user.pk)


def named(house: House, path: str) -> str:
    match = resolve(house.fill(path))
    return _name(match.namespace, match.url_name)


def test_every_address_that_changes_something_is_an_act(house: House) -> None:
    changing = [path for method, path in TABLE if method == "POST" and not path.startswith(("twiml", "webhooks"))]

    assert {named(house, path) for path in changing if path not in NOT_ACTS} == set(ACTS)


def test_every_address_of_a_call_that_is_read_is_a_reading(house: House) -> None:
    of_a_call = [path for method, path in TABLE if method == "GET" and ("call_id" in path or "transfer_id" in path)]
    pieces = {"dashboard:cost", "dashboard:reveal"}  # of the page; a form that shows nothing yet

    assert {named(house, path) for path in of_a_call} - pieces <= set(READINGS)
    assert set(SEARCHES) == {"dashboard:history", "api:list_calls"}


def test_an_act_is_in_the_audit_with_what_was_asked_and_what_came_of_it(house: House, nora: Client) -> None:
    TransferAttempt.objects.all().delete()
    Call.objects.update(state="live", has_open_transfer=False)

    nora.post(f"/calls/{house.call.pk}/transfer", {"destination": "frontdesk", "key": "k1", "brief": "secret words"})
    nora.post(f"/calls/{house.call.pk}/transfer", {"destination": "nobody", "key": "k2"})

    first, second = Entry.objects.order_by("number")
    assert (first.who, first.verb, first.call) == ("nora", "transfer", house.call.pk)
    assert first.detail == {"destination": "frontdesk", "status": 303}
    assert second.detail == {"destination": "nobody", "status": 422}
    assert "secret words" not in str(first.detail)


def test_the_api_is_audited_as_the_pages_are(house: House) -> None:
    api = Client(headers={"Authorization": f"Bearer {issue(administrator(), NOON)}"})

    api.get(f"/api/calls/{house.call.pk}")
    api.post(f"/api/calls/{house.call.pk}/hangup")

    assert list(Entry.objects.order_by("number").values_list("who", "verb")) == [
        ("nora", "open call"),
        ("nora", "hang up"),
    ]


def test_reading_and_searching_are_audited_and_looking_at_lists_is_not(house: House, nora: Client) -> None:
    for page in ("/", "/calls/", "/calls/?q=5550", f"/calls/{house.call.pk}/", f"/calls/{house.call.pk}/evidence.zip"):
        nora.get(page)
    nora.get("/calls/01NOSUCHCALL/")

    verbs = list(Entry.objects.order_by("number").values_list("verb", flat=True))
    assert verbs == ["search", "open call", "take evidence"]
    assert Entry.objects.get(verb="search").detail["q"] == "5550"


def test_whoever_asks_again_and_again_is_told_of_once_in_five_minutes() -> None:
    recent, reading = Recent(), ("nora", "open call", "c1")

    assert [recent.is_new(reading, at(second)) for second in (0, 1, 299, 301)] == [True, False, False, True]
    assert recent.is_new(("otto", "open call", "c1"), at(2))


def test_a_script_that_polls_writes_one_entry(house: House, nora: Client) -> None:
    for _ in range(3):
        nora.get(f"/api/calls/{house.call.pk}")
        nora.get(f"/calls/{house.call.pk}/evidence.zip")

    verbs = list(Entry.objects.order_by("number").values_list("verb", flat=True))
    assert verbs == ["open call", "take evidence", "take evidence", "take evidence"]


def test_an_act_that_fails_on_our_side_leaves_neither_act_nor_entry(
    house: House, nora: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        Call.objects.filter(pk=house.call.pk).update(end_wish="operator")
        raise RuntimeError("out of luck")

    monkeypatch.setattr("callops.dashboard.commands.hang_up", broken)
    nora.raise_request_exception = False

    assert nora.post(f"/calls/{house.call.pk}/hangup").status_code == 500
    assert Call.objects.get(pk=house.call.pk).end_wish == ""
    assert not Entry.objects.exists()


def test_an_act_whose_entry_cannot_be_written_is_not_done(
    house: House, nora: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the audit cannot be written")

    monkeypatch.setattr(chain, "record", full)
    nora.raise_request_exception = False
    TransferAttempt.objects.all().delete()
    Call.objects.update(state="live", has_open_transfer=False)

    answer = nora.post(f"/calls/{house.call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})

    assert answer.status_code == 500
    assert not TransferAttempt.objects.exists()


@pytest.mark.parametrize("act", ["transfer", "cancel", "hang up", "intervene"])
def test_an_act_over_the_api_whose_entry_cannot_be_written_is_not_done(
    house: House, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """There a transaction begins only when it is known who asks and for what; the act and its entry are both in it."""
    if act == "transfer":
        TransferAttempt.objects.all().delete()
        Call.objects.update(state="live", has_open_transfer=False)
    make_session(house.call)
    api = Client(headers={"Authorization": f"Bearer {issue(administrator(), NOON)}"}, raise_request_exception=False)
    address, wish = {
        "transfer": (f"calls/{house.call.pk}/transfers", {"destination": "frontdesk"}),
        "cancel": (f"transfers/{house.attempt.pk}/cancel", {}),
        "hang up": (f"calls/{house.call.pk}/hangup", {}),
        "intervene": (f"calls/{house.call.pk}/interventions", {"act": "whisper", "text": "Slower."}),
    }[act]
    before = list(Event.objects.values_list("pk", "kind"))

    def full(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the audit cannot be written")

    with monkeypatch.context() as patched:
        patched.setattr(chain, "record", full)
        assert api.post(f"/api/{address}", wish, "application/json").status_code == 500
    assert list(Event.objects.values_list("pk", "kind")) == before

    assert api.post(f"/api/{address}", wish, "application/json").status_code == 202
    assert Entry.objects.get().verb in (act, "cancel transfer")
    assert len(Event.objects.all()) > len(before)


def test_signing_in_failing_to_and_signing_out_are_audited() -> None:
    User.objects.create_user("nora", password="correct-horse-1")
    client = Client()
    client.post("/login/", {"username": "nora", "password": "wrong"})
    client.post("/login/", {"username": "nora", "password": "correct-horse-1"})
    client.post("/logout/")

    verbs = list(Entry.objects.order_by("number").values_list("verb", flat=True))
    assert verbs == ["sign in failed", "sign in", "sign out"]
    assert "wrong" not in str(list(Entry.objects.values_list("detail", flat=True)))


def test_the_page_filters_and_pages_and_shows_hostile_names_as_text(nora: Client) -> None:
    for number in range(130):
        chain.record("<script>otto</script>" if number == 3 else "omar", "act", now=NOON, call=f"c{number}")

    newest = nora.get("/audit/").content.decode()
    older = nora.get("/audit/?before=31").content.decode()

    assert "c129" in newest
    assert 'href="?before=31"' in newest
    assert "c29" in older
    assert "&lt;script&gt;otto" in older
    assert "<script>otto" not in older
    assert "Nothing fits." in nora.get("/audit/?who=nobody").content.decode()


def test_half_a_character_in_an_act_over_the_api_does_not_take_the_audit_away(nora: Client, house: House) -> None:
    wish = '{"destination": "desk\\ud800", "why": "\\udfff"}'
    nora.post(f"/api/calls/{house.call.pk}/transfers", wish, content_type="application/json")
    if connection.vendor == "sqlite":  # an entry of before; PostgreSQL never took one
        Entry.objects.create(
            number=10**6, at=NOON, who="before", verb="act", detail={"q": "\ud800"}, before="", digest=""
        )

    page = nora.get("/audit/")

    assert page.status_code == 200
    assert "desk\ufffd" in page.content.decode()
