"""Who is let in, and how errors are told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.api import auth
from callops.api.tokens import issue
from callops.calls.models import Call
from tests.api.conftest import NOON

GETS = ["/api/calls", "/api/calls/x", "/api/calls/x/events", "/api/transfers/x"]
POSTS = ["/api/calls/x/transfers", "/api/transfers/x/cancel", "/api/calls/x/hangup", "/api/calls/x/interventions"]


@pytest.mark.django_db
@pytest.mark.parametrize("url", GETS)
def test_nobody_reads_without_credentials(url: str) -> None:
    answer = Client().get(url)

    assert answer.status_code == 401
    assert answer.json() == {"detail": auth.NO_CREDENTIALS}
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
@pytest.mark.parametrize("url", POSTS)
def test_nobody_commands_without_credentials(url: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(url)

    assert answer.status_code == 401
    assert answer.json() == {"detail": auth.NO_CREDENTIALS}


def test_a_wrong_token_is_refused_even_with_a_good_session(viewer: User) -> None:
    client = Client(headers={"Authorization": "Bearer wrong"})
    client.force_login(viewer)

    answer = client.get("/api/calls")

    assert answer.status_code == 401
    assert answer.json() == {"detail": auth.BAD_TOKEN}


def test_another_scheme_of_authorization_is_no_credential(viewer: User) -> None:
    token = issue(viewer, NOON)

    assert Client(headers={"Authorization": f"Basic {token}"}).get("/api/calls").status_code == 401
    assert Client(headers={"Authorization": f"bearer {token}"}).get("/api/calls").status_code == 200


def test_a_session_reads_without_and_commands_only_with_the_csrf_token(supervisor: User, call: Call) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(supervisor)
    secret = "a" * 32
    client.cookies["csrftoken"] = secret

    assert client.get("/api/calls").status_code == 200
    refused = client.post(f"/api/calls/{call.pk}/hangup")
    assert (refused.status_code, refused.json()) == (403, {"detail": auth.NO_CSRF})
    assert client.post(f"/api/calls/{call.pk}/hangup", headers={"X-CSRFToken": secret}).status_code == 202


def test_a_token_needs_no_csrf_token(supervisor: User, call: Call) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {issue(supervisor, NOON)}"})

    assert client.post(f"/api/calls/{call.pk}/hangup").status_code == 202


@pytest.mark.parametrize("url", POSTS)
def test_who_may_only_look_commands_nothing(viewer_api: Client, url: str) -> None:
    answer = viewer_api.post(url, "not json", content_type="application/json")

    assert answer.status_code == 403
    assert answer.json() == {"detail": auth.NOT_ALLOWED}


@pytest.mark.parametrize("url", [*GETS[1:], "/api/calls/%00", "/api/calls/" + "a" * 99])
def test_what_is_not_there_is_404_in_a_sentence(api: Client, url: str) -> None:
    answer = api.get(url)

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no ")


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/api/", "/api/nothing", "/api/calls/", "/api/calls/x/transfers/y"])
def test_an_address_that_does_not_exist_is_404_in_json(url: str) -> None:
    for answer in (Client().get(url), Client(enforce_csrf_checks=True).post(url)):
        assert answer.status_code in (404, 405)
        assert isinstance(answer.json()["detail"], str)


def test_a_wrong_method_is_told_in_json(api: Client, call: Call) -> None:
    answer = api.delete(f"/api/calls/{call.pk}")

    assert answer.status_code == 405
    assert answer.json() == {"detail": "Only GET, HEAD, OPTIONS work here."}
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_head_answers_as_get_and_options_says_what_is_possible(api: Client, call: Call) -> None:
    head, options = api.head("/api/calls"), api.options(f"/api/calls/{call.pk}/hangup")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"].startswith("application/json")
    assert (options.status_code, options.headers["Allow"]) == (204, "OPTIONS, POST")
    assert Client().head("/api/calls").status_code == 401


def test_too_many_commands_a_minute_are_429(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "COMMANDS_A_MINUTE", 2)

    statuses = [api.post("/api/calls/x/hangup").status_code for _ in range(2)]
    answer = api.post("/api/calls/x/hangup")

    assert statuses == [404, 404]
    assert answer.status_code == 429
    assert isinstance(answer.json()["detail"], str)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert api.get("/api/calls").status_code == 200


def test_our_own_fault_is_500_in_json_and_in_the_log(
    api: Client, call: Call, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("callops.api.views.timeline.since", broken)

    answer = api.get(f"/api/calls/{call.pk}/events")

    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "could not answer GET" in caplog.text


@pytest.mark.django_db
def test_the_openapi_document_tells_every_operation_and_word() -> None:
    document = Client().get("/api/openapi.json").json()

    assert set(document["paths"]) == {
        "/api/calls",
        "/api/calls/{call_id}",
        "/api/calls/{call_id}/events",
        "/api/calls/{call_id}/evidence.zip",
        "/api/calls/{call_id}/transfers",
        "/api/transfers/{transfer_id}",
        "/api/transfers/{transfer_id}/cancel",
        "/api/calls/{call_id}/hangup",
        "/api/calls/{call_id}/interventions",
    }
    shapes = document["components"]["schemas"]
    assert shapes["Call"]["properties"]["state"]["enum"][0] == "ringing"
    assert shapes["Transfer"]["properties"]["state"]["enum"] == ["pending", "running", "settled"]
    ask = document["paths"]["/api/calls/{call_id}/transfers"]["post"]
    assert {"202", "401", "409", "422", "429"} <= set(ask["responses"])
    assert "Idempotency-Key" in [parameter["name"] for parameter in ask["parameters"]]


@pytest.mark.django_db
def test_the_documents_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs").content.decode()

    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "://" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="application/json"')
