"""Calls, their transcript and their events, in the words of the interface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Leg
from callops.calls.words import Lane
from callops.core.text import WHY_UNFIT
from callops.sideband.models import Turn
from tests.api.conftest import NOON

MakeCall = Callable[..., Call]


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def test_a_call_is_told_with_every_field_of_the_interface(api: Client, make_call: MakeCall) -> None:
    call = make_call(
        ai_leg_sid="CA" + "f" * 32,
        correlation_method="signed_header",
        correlation_confidence="exact",
        answered_at=NOON + timedelta(microseconds=1999),
    )
    Turn.objects.create(
        call=call, item_id="item_2", position=2, speaker="assistant", text="Hello?", started_at=NOON, heard_chars=2
    )
    Turn.objects.create(
        call=call, item_id="item_1", position=1, speaker="caller", text="Hi", final=True, started_at=NOON
    )

    whole = api.get(f"/api/calls/{call.pk}").json()

    assert whole == {
        "id": call.pk,
        "state": "live",
        "from_number": "+15550123",
        "to_number": "+15550100",
        "line": "Northline support",
        "carrier": {"call_sid": call.carrier_sid, "ai_leg_sid": "CA" + "f" * 32, "topology": "twiml"},
        "ai": {"runtime": "realtime", "call_id": "rtc_0", "session": "open"},
        "correlation": {"method": "signed_header", "confidence": "exact"},
        "started_at": "2026-03-01T12:00:00.120Z",
        "answered_at": "2026-03-01T12:00:00.121Z",
        "ended_at": None,
        "ended_by": None,
        "failure_stage": None,
        "incomplete": False,
        "transcript": [
            {
                "id": "item_1",
                "speaker": "caller",
                "text": "Hi",
                "final": True,
                "started_at": "2026-03-01T12:00:00.120Z",
            },
            {
                "id": "item_2",
                "speaker": "assistant",
                "text": "Hello?",
                "final": False,
                "started_at": "2026-03-01T12:00:00.120Z",
            },
        ],
        "transfers": [],
    }
    listed = api.get("/api/calls").json()["items"][0]
    assert listed == {key: value for key, value in whole.items() if key not in ("transcript", "transfers")}


def test_what_is_not_known_is_null(api: Client, make_call: MakeCall) -> None:
    make_call(line=None, from_number="", to_number="", carrier_sid=None, ai_call_id=None)

    call = api.get("/api/calls").json()["items"][0]

    assert (call["line"], call["from_number"], call["to_number"]) == (None, None, None)
    assert (call["carrier"]["call_sid"], call["carrier"]["ai_leg_sid"], call["ai"]["call_id"]) == (None, None, None)


def test_how_a_call_ended_is_told(api: Client, make_call: MakeCall) -> None:
    make_call(state="ended", ended_at=NOON, ended_by="caller", failure_stage="webhook_missing", incomplete=True)

    call = api.get("/api/calls").json()["items"][0]

    assert (call["ended_at"], call["ended_by"]) == ("2026-03-01T12:00:00.120Z", "caller")
    assert (call["failure_stage"], call["incomplete"]) == ("webhook_missing", True)


def test_pages_go_from_the_newest_to_the_oldest_and_stay_steady_while_calls_arrive(
    api: Client, make_call: MakeCall
) -> None:
    calls = [make_call().pk for _ in range(5)]

    first = api.get("/api/calls?limit=2")
    make_call()
    second = api.get("/api/calls", {"limit": 2, "cursor": first.json()["next"]})
    third = api.get("/api/calls", {"limit": 2, "cursor": second.json()["next"]})

    assert [ids(first), ids(second), ids(third)] == [calls[4:2:-1], calls[2:0:-1], calls[:1]]
    assert third.json()["next"] is None


def test_a_last_page_that_is_just_full_has_no_next(api: Client, make_call: MakeCall) -> None:
    make_call(), make_call()

    assert api.get("/api/calls?limit=2").json()["next"] is None


def test_calls_are_found_by_state(api: Client, make_call: MakeCall) -> None:
    live, _ = make_call(), make_call(state="ended")

    assert ids(api.get("/api/calls?state=live")) == [live.pk]


@pytest.mark.parametrize("q", ["+15550199", "1 (555) 01-99", "0199", " 555.0199 "])
def test_calls_are_found_by_part_of_a_number_however_it_is_written(api: Client, make_call: MakeCall, q: str) -> None:
    make_call()
    wanted = make_call(from_number="+15550199")

    assert ids(api.get("/api/calls", {"q": q})) == [wanted.pk]


def test_calls_are_found_by_whole_ids_of_either_side(api: Client, make_call: MakeCall) -> None:
    make_call()
    wanted = make_call(ai_leg_sid="CAleg")
    Leg.objects.create(call=wanted, sid="CAhuman", role="human", started_at=NOON)

    for known in (wanted.pk, wanted.carrier_sid, wanted.ai_call_id, "CAleg", "CAhuman"):
        assert ids(api.get("/api/calls", {"q": str(known)})) == [wanted.pk]
    assert ids(api.get("/api/calls", {"q": "CAhum"})) == []


def test_a_search_with_a_character_that_cannot_be_kept_is_refused_saying_so(api: Client) -> None:
    assert api.get("/api/calls?q=sil%00ent").json() == {"detail": f"q: {WHY_UNFIT}"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("state=dead", "state"),
        ("cursor=no!", "cursor"),
        ("q=%00", "q"),
        ("q=" + "1" * 201, "q"),
    ],
)
def test_a_bad_question_is_422_and_names_the_field(api: Client, query: str, field: str) -> None:
    answer = api.get(f"/api/calls?{query}")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{field}: ")


def test_an_empty_parameter_counts_as_not_given(api: Client, call: Call) -> None:
    assert ids(api.get("/api/calls?state=&q=&limit=&cursor=")) == [call.pk]


def test_a_list_takes_the_same_number_of_queries_for_one_call_and_for_many(
    api: Client, make_call: MakeCall, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_call()
    api.get("/api/calls")

    with django_assert_num_queries(4):
        api.get("/api/calls")
    for _ in range(9):
        make_call()
    with django_assert_num_queries(4):
        assert len(ids(api.get("/api/calls"))) == 10


def test_events_are_read_in_order_after_a_number(api: Client, call: Call) -> None:
    for number in range(5):
        timeline.append(call, at=NOON, kind=Kind.OPENAI_TURN, lane=Lane.OPENAI, body={"turn": number})

    first = api.get(f"/api/calls/{call.pk}/events?limit=2").json()
    rest = api.get(f"/api/calls/{call.pk}/events?after={first['next']}").json()

    assert [event["seq"] for event in first["items"]] == [1, 2]
    assert first["next"] == 2
    assert first["items"][0] == {
        "seq": 1,
        "at": "2026-03-01T12:00:00.120Z",
        "kind": "openai.turn",
        "lane": "openai",
        "body": {"turn": 0},
    }
    assert [event["seq"] for event in rest["items"]] == [3, 4, 5]
    assert rest["next"] is None
    assert api.get(f"/api/calls/{call.pk}/events?after=5").json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", ["after=-1", "after=x", f"after={2**63}", "limit=0", "limit=501"])
def test_a_bad_place_on_the_timeline_is_422(api: Client, call: Call, query: str) -> None:
    assert api.get(f"/api/calls/{call.pk}/events?{query}").status_code == 422


def test_hanging_up_is_a_wish_that_is_written_down_once(api: Client, call: Call) -> None:
    first = api.post(f"/api/calls/{call.pk}/hangup")
    second = api.post(f"/api/calls/{call.pk}/hangup")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == call.pk
    assert [event.kind for event in timeline.since(call.pk, 0)] == [Kind.OPERATOR_HANGUP]


def test_a_call_that_is_over_cannot_be_hung_up(api: Client, make_call: MakeCall) -> None:
    answer = api.post(f"/api/calls/{make_call(state='ended').pk}/hangup")

    assert answer.status_code == 409
    assert "over" in answer.json()["detail"]
