"""A typed number on the call page: who may, what is refused, and how a second person agrees."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from callops.transfers.models import Approval, TransferAttempt
from tests.dashboard.conftest import MakeCall, make_line

NUMBER = "+1 (202) 555-0123"


def person(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def nora(db) -> Client:
    return person("nora", "add_transferattempt", "type_number")


@pytest.fixture(autouse=True)
def _settings(db, configure) -> None:
    configure(typed_countries=("US",), typed_alone_an_hour=0)


def send(client: Client, call: str, to: str = NUMBER, key: str = "k1"):
    return client.post(f"/calls/{call}/transfer", {"destination": to, "key": key})


def test_the_box_says_that_a_number_may_be_typed_where_it_may(nora: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())

    assert b"or + and a number" in nora.get(f"/calls/{call.pk}/").content
    assert b"or + and a number" not in person("otto", "add_transferattempt").get(f"/calls/{call.pk}/").content


def test_a_typed_number_is_called_under_its_own_name(nora: Client, make_call: MakeCall, configure) -> None:
    configure(typed_alone_an_hour=1)
    call = make_call(line=make_line())

    assert send(nora, call.pk).status_code == 303
    assert TransferAttempt.objects.get().target_uri == "tel:+12025550123"


@pytest.mark.parametrize("to", ["+1 900 555 0123", "+44 20 7946 0123", "sip:a@evil.example", "+1"])
def test_a_number_that_may_not_be_called_is_refused_with_the_reason(nora: Client, make_call: MakeCall, to: str) -> None:
    call = make_call(line=make_line())

    answer = send(nora, call.pk, to)

    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not TransferAttempt.objects.exists()


def test_who_may_not_type_is_told_to_take_the_directory(make_call: MakeCall) -> None:
    call = make_call(line=make_line())

    answer = send(person("otto", "add_transferattempt"), call.pk)

    assert answer.status_code == 422
    assert b"not in the directory" in answer.content


def test_a_second_person_agrees_on_the_page_and_the_caller_is_moved(nora: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    waiting = send(nora, call.pk)
    approval = Approval.objects.get()
    decide = f"/calls/{call.pk}/approvals/{approval.pk}"

    assert waiting.status_code == 409
    assert b"nora wants to send the caller to" in waiting.content
    assert nora.post(decide, {"agreed": "yes"}).status_code == 409
    assert person("otto", "add_transferattempt").post(decide, {"agreed": "yes"}).status_code == 403
    assert person("omar", "add_transferattempt", "type_number").post(decide, {"agreed": "yes"}).status_code == 303
    assert TransferAttempt.objects.get().requested_by == "nora"
    assert b"approval-" not in nora.get(f"/calls/{call.pk}/").content


def test_a_second_person_may_say_no(nora: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    send(nora, call.pk)

    omar = person("omar", "add_transferattempt", "type_number")
    omar.post(f"/calls/{call.pk}/approvals/{Approval.objects.get().pk}", {"agreed": "no"})

    assert not TransferAttempt.objects.exists()
    assert b"omar did not agree to" in omar.get(f"/calls/{call.pk}/").content


def test_the_api_says_that_a_second_person_is_waited_for(nora: Client, make_call: MakeCall, configure) -> None:
    call = make_call(line=make_line())
    wish = {"uri": "tel:+12025550123"}

    waiting = nora.post(f"/api/calls/{call.pk}/transfers", wish, content_type="application/json")
    configure(transfers_an_hour=1, typed_alone_an_hour=5)
    taken = nora.post(f"/api/calls/{call.pk}/transfers", wish, content_type="application/json")
    often = nora.post(f"/api/calls/{call.pk}/transfers", wish, content_type="application/json")

    assert waiting.status_code == 409
    assert waiting.json()["approval_id"] == Approval.objects.get().pk
    assert taken.status_code == 202
    assert taken.json()["destination"] == {"name": None, "uri": "tel:+12025550123"}
    assert often.status_code == 429
    assert int(often.headers["Retry-After"]) <= 3600
