"""Transfers asked for, followed and cancelled over the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from callops.audit.models import Entry
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination
from callops.calls.words import Lane
from callops.core.ids import new_id, new_token
from callops.transfers.models import Evidence, TransferAttempt
from tests.api.conftest import NOON

ASKED = {"by": "supervisor1", "with": "assistant"}


def ask(api: Client, call: Call, body: Any, **headers: str) -> Any:
    return api.post(f"/api/calls/{call.pk}/transfers", body, content_type="application/json", headers=headers)


def attempt_of(call: Call, frontdesk: Destination, **fields: Any) -> TransferAttempt:
    known = {
        "id": new_id(NOON),
        "token": new_token(),
        "call": call,
        "destination": frontdesk,
        "target_uri": frontdesk.uri,
        "target_label": frontdesk.label,
        "policy": "refer_then_redirect",
        "requested_by": "supervisor1",
        "requested_at": NOON,
    }
    return TransferAttempt.objects.create(**{**known, **fields})


def test_a_wish_is_accepted_and_can_be_followed(api: Client, call: Call, frontdesk: Destination) -> None:
    answer = ask(api, call, {"destination": "frontdesk"})

    told = answer.json()
    assert answer.status_code == 202
    assert (told["call_id"], told["state"]) == (call.pk, "pending")
    assert (told["mechanism"], told["outcome"]) == ("unknown", "pending")
    assert told["policy"] == "refer_then_redirect"
    assert told["destination"] == {"name": "frontdesk", "uri": "tel:+15550111"}
    assert told["requested_by"] == "supervisor1"
    assert (told["refer"], told["redirect"], told["settled_at"]) == (None, None, None)
    assert api.get(f"/api/transfers/{told['id']}").json() == told
    assert api.get(f"/api/calls/{call.pk}").json()["transfers"] == [told]


def test_the_address_of_a_destination_and_a_policy_may_be_given(
    api: Client, call: Call, frontdesk: Destination
) -> None:
    answer = ask(api, call, {"uri": "tel:+15550111", "policy": "redirect_only"})

    assert answer.status_code == 202
    assert (answer.json()["destination"]["name"], answer.json()["policy"]) == ("frontdesk", "redirect_only")


def test_every_fact_of_a_transfer_is_told(api: Client, call: Call, frontdesk: Destination) -> None:
    second = timedelta(seconds=1)
    row = attempt_of(
        call,
        frontdesk,
        state="settled",
        mechanism="redirect",
        outcome="connected",
        because="Twilio fetched the transfer document.",
        settled_at=NOON + 10 * second,
        human_connected_at=NOON + 9.12 * second,
        refer_asked_at=NOON,
        refer_status=200,
        refer_duration_ms=616,
        refer_deadline_at=NOON + 4 * second,
        redirect_asked_at=NOON + 4 * second,
        redirect_tries=1,
        redirect_status=200,
        document_fetched_at=NOON + 5 * second,
    )
    event = timeline.append(call, at=NOON, kind=Kind.OPENAI_REFER_ANSWERED, lane=Lane.OPENAI)
    assert event is not None
    detail = {"status": 200, "duration_ms": 616, "asked_at": NOON.isoformat()}
    Evidence.objects.create(attempt=row, kind="asked", witness="operator", at=NOON, event=event, detail=ASKED)
    Evidence.objects.create(
        attempt=row, kind="refer_answered", witness="openai", at=NOON + 0.616 * second, event=event, detail=detail
    )
    no_try = {
        "number": 1,
        "label": "Front desk",
        "uri": "tel:+15550111",
        "answered_at": None,
        "http_status": None,
        "error_code": None,
        "sip_code": None,
        "duration_ms": None,
        "ring_ms": None,
        "human_connected_at": None,
    }

    assert api.get(f"/api/transfers/{row.pk}").json() == {
        "id": row.pk,
        "call_id": call.pk,
        "state": "settled",
        "mechanism": "redirect",
        "outcome": "connected",
        "policy": "refer_then_redirect",
        "destination": {"name": "frontdesk", "uri": "tel:+15550111"},
        "requested_by": "supervisor1",
        "requested_at": "2026-03-01T12:00:00.120Z",
        "settled_at": "2026-03-01T12:00:10.120Z",
        "human_connected_at": "2026-03-01T12:00:09.240Z",
        "time_to_human_ms": 9120,
        "refer": {
            "asked_at": "2026-03-01T12:00:00.120Z",
            "http_status": 200,
            "request_id": None,
            "processing_ms": None,
            "duration_ms": 616,
            "deadline_at": "2026-03-01T12:00:04.120Z",
            "seen_by_carrier_at": None,
        },
        "redirect": {
            "asked_at": "2026-03-01T12:00:04.120Z",
            "http_status": 200,
            "error_code": None,
            "document_fetched_at": "2026-03-01T12:00:05.120Z",
        },
        "evidence": [
            {"kind": "asked", "witness": "operator", "at": "2026-03-01T12:00:00.120Z", "event_seq": 1},
            {"kind": "refer_answered", "witness": "openai", "at": "2026-03-01T12:00:00.736Z", "event_seq": 1},
        ],
        "because": "Twilio fetched the transfer document.",
        "tries": [
            {
                **no_try,
                "method": "refer",
                "end": "answered",
                "asked_at": "2026-03-01T12:00:00.120Z",
                "answered_at": "2026-03-01T12:00:00.736Z",
                "http_status": 200,
                "duration_ms": 616,
                "heard": [
                    {
                        "words": "the assistant kept the caller company",
                        "started_at": "2026-03-01T12:00:00.120Z",
                        "ended_at": "2026-03-01T12:00:04.120Z",
                    }
                ],
            },
            {
                **no_try,
                "method": "redirect",
                "end": "waiting",
                "asked_at": "2026-03-01T12:00:04.120Z",
                "heard": [
                    {
                        "words": "the assistant kept the caller company",
                        "started_at": "2026-03-01T12:00:04.120Z",
                        "ended_at": "2026-03-01T12:00:10.120Z",
                    }
                ],
            },
        ],
    }


def test_a_transfer_outlives_its_destination(api: Client, call: Call, frontdesk: Destination) -> None:
    row = attempt_of(call, frontdesk)
    frontdesk.delete()

    assert api.get(f"/api/transfers/{row.pk}").json()["destination"] == {"name": None, "uri": "tel:+15550111"}


def test_the_same_key_gives_the_same_transfer(api: Client, call: Call, frontdesk: Destination) -> None:
    first = ask(api, call, {"destination": "frontdesk"}, **{"Idempotency-Key": "wish-1"})
    again = ask(api, call, {"destination": "frontdesk"}, **{"Idempotency-Key": "wish-1"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert TransferAttempt.objects.count() == 1


def test_another_open_transfer_is_409_and_named(api: Client, call: Call, frontdesk: Destination) -> None:
    first = ask(api, call, {"destination": "frontdesk"}).json()

    answer = ask(api, call, {"destination": "frontdesk"})

    assert answer.status_code == 409
    assert set(answer.json()) == {"detail", "transfer_id"}
    assert answer.json()["transfer_id"] == first["id"]


@pytest.mark.parametrize("state", ["ringing", "connecting", "ended"])
def test_a_call_that_is_not_live_is_409(
    api: Client, make_call: Callable[..., Call], frontdesk: Destination, state: str
) -> None:
    answer = ask(api, make_call(state=state), {"destination": "frontdesk"})

    assert answer.status_code == 409
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"destination": "nobody"}, 'destination: there is no "nobody"'),
        ({"destination": "front\0desk"}, "destination: "),
        ({"destination": ""}, "destination: "),
        ({"destination": 5}, "destination: "),
        ({"destination": "frontdesk", "uri": "tel:+15550111"}, 'the body: give either "destination" or "uri"'),
        ({}, 'the body: give either "destination" or "uri"'),
        ({"uri": "tel:+15550199"}, "not in the directory"),
        ({"uri": "ftp://example"}, "not in the directory"),
        ({"destination": "frontdesk", "policy": "magic"}, "policy: "),
        ({"destination": "frontdesk", "whisper": True}, "whisper: "),
        ('{"destination": "frontdesk", "\\ud800": 1}', ": "),
        ([], "the body: "),
        ("null", "the body: "),
        ('{"destination": "\\ud800"}', "destination"),
        ("", "the body: "),
    ],
)
def test_a_wish_that_cannot_be_granted_is_422_in_a_sentence_and_changes_nothing(
    api: Client, call: Call, frontdesk: Destination, body: Any, words: str
) -> None:
    answer = ask(api, call, body)

    assert answer.status_code == 422, answer.content
    assert words in answer.json()["detail"]
    assert not TransferAttempt.objects.exists()
    assert timeline.since(call.pk, 0) == []


@pytest.mark.parametrize("body", ["{", b"\xff", "[" * 100_000])
def test_a_body_that_is_not_json_is_400(api: Client, call: Call, body: Any) -> None:
    answer = ask(api, call, body)

    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("key", ["", "a" * 201, "two words", "tab\there", "umlaut-ü"])
def test_a_key_that_is_not_printable_or_too_long_is_422(
    api: Client, call: Call, frontdesk: Destination, key: str
) -> None:
    answer = ask(api, call, {"destination": "frontdesk"}, **{"Idempotency-Key": key})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Idempotency-Key: ")


def test_a_transfer_can_be_cancelled_and_cancelling_twice_is_the_same(
    api: Client, call: Call, frontdesk: Destination
) -> None:
    wish = ask(api, call, {"destination": "frontdesk"}).json()

    answers = [api.post(f"/api/transfers/{wish['id']}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["outcome"] == "cancelled"


def test_a_cancel_that_lost_the_race_says_what_happened(api: Client, call: Call, frontdesk: Destination) -> None:
    row = attempt_of(call, frontdesk, state="settled", mechanism="redirect", outcome="connected", because="It rang.")

    answer = api.post(f"/api/transfers/{row.pk}/cancel")

    assert answer.status_code == 409
    assert "connected" in answer.json()["detail"]


def test_a_call_takes_the_same_number_of_queries_for_one_transfer_and_for_many(
    api: Client, call: Call, frontdesk: Destination, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        row = attempt_of(call, frontdesk, id=new_id(NOON + timedelta(seconds=number)), state="settled")
        event = timeline.append(call, at=NOON, kind=Kind.US_REFER_ASKED, lane=Lane.US)
        assert event is not None
        Evidence.objects.create(attempt=row, kind="refer_asked", witness="clock", at=NOON, event=event)
    api.get(f"/api/calls/{call.pk}")

    with django_assert_num_queries(7):
        assert len(api.get(f"/api/calls/{call.pk}").json()["transfers"]) == 4


def test_a_click_costs_few_statements_and_who_asks_for_what_is_looked_up_before_its_transaction(
    api: Client, call: Call, frontdesk: Destination
) -> None:
    api.get(f"/api/calls/{call.pk}")  # the token's use is noted

    with CaptureQueriesContext(connection) as asked:
        answer = ask(api, call, {"destination": "frontdesk"})

    statements = [each["sql"] for each in asked]
    begun = next(place for place, sql in enumerate(statements) if sql.startswith("SAVEPOINT"))
    before = " ".join(statements[:begun])
    assert answer.status_code == 202
    assert all(of in before for of in ("api_apitoken", "people_team", "calls_destination", "transfers_linebreaker"))
    assert (begun, len(statements) - begun) == (6, 14)


def test_a_click_is_answered_with_what_a_look_at_the_transfer_says(
    api: Client, call: Call, frontdesk: Destination
) -> None:
    wish = {"destination": "frontdesk"}

    told, again = (ask(api, call, wish, **{"Idempotency-Key": "once"}).json() for _ in range(2))

    assert told == again == api.get(f"/api/transfers/{told['id']}").json()
    assert [fact["kind"] for fact in told["evidence"]] == ["asked"]


def test_a_wish_for_nobody_or_by_nobody_never_begins_a_transaction_but_for_its_entry(
    api: Client, call: Call, frontdesk: Destination
) -> None:
    api.get(f"/api/calls/{call.pk}")

    with CaptureQueriesContext(connection) as asked:
        assert ask(api, call, {"destination": "nobody"}).status_code == 422
        assert Client().post(f"/api/calls/{call.pk}/transfers", {}, "application/json").status_code == 401

    assert not [each for each in asked if each["sql"].startswith("SAVEPOINT")]
    assert Entry.objects.get(verb="transfer").detail["status"] == 422
