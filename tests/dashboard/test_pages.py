"""Pages say what is so, with 0, 3 and 300 calls, in a bounded number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.core.clock import now
from callops.core.counters import bump
from callops.transfers.models import Evidence
from tests.dashboard.conftest import MakeCall, make_attempt, make_line, make_turn

LONG_NAME = "Northline sales, Birchwood and Lakeside 2"


def many(count: int, make_call: MakeCall) -> list[Call]:
    line = make_line(name=LONG_NAME)
    calls = []
    for index in range(count):
        state = "live" if index % 2 else "ended"
        call = make_call(line=line, state=state, ended_at=now(), started_at=now() - timedelta(seconds=600 - index))
        make_turn(call, 1, f"This is caller {index}.")
        make_attempt(call, state="settled", mechanism="redirect", outcome="connected", human_connected_at=now())
        calls.append(call)
    return calls


@pytest.mark.parametrize("count", [0, 3, 300])
@pytest.mark.parametrize(("page", "queries"), [("/", 17), ("/calls/", 12), ("/transfers/", 18)])
def test_pages_take_the_same_few_queries_for_any_number_of_calls(
    desk: Client, make_call: MakeCall, django_assert_max_num_queries: Any, count: int, page: str, queries: int
) -> None:
    many(count, make_call)

    with django_assert_max_num_queries(queries):
        response = desk.get(page)

    assert response.status_code == 200


def test_a_call_page_takes_few_queries_however_much_was_said(
    desk: Client, make_call: MakeCall, django_assert_max_num_queries: Any
) -> None:
    call = make_call(line=make_line(), carrier_sid="CA01")
    for index in range(60):
        make_turn(call, index, f"Sentence {index}.")
        timeline.append(call, at=now(), kind=Kind.OPENAI_DTMF, lane=Lane.OPENAI, body={"key": "1"})
    for _ in range(5):
        make_attempt(call, state="settled", mechanism="none", outcome="cancelled")

    with django_assert_max_num_queries(38):
        response = desk.get(f"/calls/{call.pk}/")

    text = response.content.decode()
    assert text.count('class="turn ') == 60
    assert text.count('class="event ') == 60
    assert "4 earlier transfers" in text


def test_an_empty_board_says_what_will_happen(desk: Client) -> None:
    assert "The next call appears here by itself" in desk.get("/").content.decode()


def test_a_row_shows_caller_line_last_words_and_leads_to_the_call(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line(), from_number="anonymous")
    make_turn(call, 1, "First words")
    make_turn(call, 2, "Last words")
    make_turn(call, 3, "look_up({})", speaker="tool")

    text = desk.get("/").content.decode()

    assert f'href="/calls/{call.pk}/"' in text
    assert "withheld" in text
    assert "Northline support" in text
    assert "Last words" in text
    assert "First words" not in text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ai_session": "reconnecting"}, "reconnecting"),
        ({"state": "connecting", "webhook_due_at": "past"}, "OpenAI has not announced the call"),
    ],
)
def test_calls_in_trouble_stand_on_top_with_the_reason(
    desk: Client, make_call: MakeCall, fields: dict[str, Any], why: str
) -> None:
    if "webhook_due_at" in fields:
        fields = {**fields, "webhook_due_at": now() - timedelta(seconds=3)}
    call = make_call(**fields)

    response = desk.get("/")

    assert [row.id for row in response.context["needs"]] == [call.pk]
    assert why in response.context["needs"][0].why


def test_an_unseen_refer_and_a_busy_human_need_somebody_and_a_connected_one_does_not(
    desk: Client, make_call: MakeCall
) -> None:
    unseen, busy, fine = make_call(state="transferring"), make_call(), make_call(state="with_human")
    make_attempt(unseen, state="running", refer_asked_at=now())
    make_attempt(busy, state="settled", mechanism="redirect", outcome="busy")
    make_attempt(fine, state="settled", mechanism="redirect", outcome="connected")

    context = desk.get("/").context

    assert {row.id for row in context["needs"]} == {unseen.pk, busy.pk}
    assert [row.id for row in context["rows"]] == [fine.pk]


def test_ended_calls_linger_half_a_minute(desk: Client, make_call: MakeCall) -> None:
    here = make_call(state="ended", ended_at=now() - timedelta(seconds=10))
    make_call(state="ended", ended_at=now() - timedelta(seconds=40))

    assert [row.id for row in desk.get("/").context["rows"]] == [here.pk]


def test_refused_requests_are_counted_on_the_board(desk: Client) -> None:
    bump("refused.twilio_signature", now())
    bump("refused.openai_signature", now())
    bump("something.else", now())

    assert desk.get("/").context["counts"].refused == 2


@pytest.mark.parametrize(
    ("mechanism", "words"),
    [
        ("refer", "SIP REFER"),
        ("redirect", "Twilio redirect"),
        ("dial_action", "Twilio dial action"),
        ("unknown", "Unproven"),
        ("none", "Nothing moved the caller"),
    ],
)
def test_the_verdict_is_said_once_in_big_words_with_reason_and_evidence(
    desk: Client, make_call: MakeCall, mechanism: str, words: str
) -> None:
    call = make_call()
    attempt = make_attempt(call, state="settled", mechanism=mechanism, outcome="connected", because="So it is proven.")
    event = timeline.append(
        call, at=now(), kind=Kind.OPENAI_REFER_ANSWERED, lane=Lane.OPENAI, body={"status": 200, "duration_ms": 616}
    )
    assert event is not None
    detail = {"status": 200, "request_id": None, "duration_ms": 616}
    Evidence.objects.create(
        attempt=attempt, kind="refer_answered", witness="openai", at=now(), event=event, detail=detail
    )

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert text.count(words) == 1
    assert f'<strong class="mechanism">{words}</strong>' in text
    assert "So it is proven." in text
    assert "request id <b>absent</b>" in text
    assert "took <b>616 ms</b>" in text


def test_the_transcript_marks_what_is_unfinished_unheard_and_cut_off(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    make_turn(call, 1, "Heard, not heard", speaker="assistant", heard_chars=5)
    make_turn(call, 2, "Still speak", final=False)
    make_turn(call, 3, "Dropped", partial=True)

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert 'role="log"' in text
    assert "<span>Heard</span><del" in text
    assert text.count('unfinished" aria-live="off"') == 1
    assert "cut off when the connection ended" in text


def test_what_callers_say_is_never_markup(desk: Client, make_call: MakeCall) -> None:
    call = make_call(from_number="<script>alert(1)</script>")
    make_turn(call, 1, "<img src=x onerror=alert(1)>")
    timeline.append(call, at=now(), kind=Kind.OPENAI_ERROR, lane=Lane.OPENAI, body={"message": "<b>x</b>"})

    text = desk.get(f"/calls/{call.pk}/").content.decode() + desk.get("/").content.decode()

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>x</b>" not in text


def test_nothing_is_inline_so_the_content_policy_needs_no_exception(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    make_turn(call, 1, "Hello")
    for page in ("/", "/calls/", "/transfers/", f"/calls/{call.pk}/"):
        text = desk.get(page).content.decode()
        assert "style=" not in text
        assert "<style" not in text
        assert "hx-on" not in text
        assert text.count("<script") == text.count("<script src=")


def test_an_ended_call_says_where_it_failed(desk: Client, make_call: MakeCall) -> None:
    call = make_call(state="ended", ended_at=now(), failure_stage="sip_rejected", ai_session="none")

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert "SIP side refused the call" in text
    assert "This call is over." in text


def test_an_unknown_call_is_not_found(desk: Client) -> None:
    assert desk.get("/calls/nothing/").status_code == 404


def test_history_finds_by_part_of_a_number_by_id_and_by_filters(desk: Client, make_call: MakeCall) -> None:
    line = make_line()
    earlier = now() - timedelta(minutes=5)
    one = make_call(from_number="+15550141", line=line, carrier_sid="CA01", started_at=earlier)
    two = make_call(from_number="+15550142", state="ended", ended_at=now())
    make_attempt(two, state="settled", mechanism="refer", outcome="connected")

    def found(query: str) -> list[str]:
        return [call.pk for call in desk.get(f"/calls/?{query}").context["page"].rows]

    assert found("q=0141") == [one.pk]
    assert found("q=CA01") == [one.pk]
    assert found(f"q={two.pk}") == [two.pk]
    assert found("state=ended") == [two.pk]
    assert found(f"line={line.pk}") == [one.pk]
    assert found("mechanism=refer") == [two.pk]
    assert found("state=nonsense&line=99&before=%27") == [two.pk, one.pk]


def test_history_pages_by_key_both_ways_and_keeps_its_filters(desk: Client, make_call: MakeCall) -> None:
    calls = many(120, make_call)
    newest_first = sorted((call.pk for call in calls), reverse=True)

    first = desk.get("/calls/?q=555").context["page"]
    second = desk.get(f"/calls/{first.older}").context["page"]
    back = desk.get(f"/calls/{second.newer}").context["page"]

    assert [call.pk for call in first.rows] == newest_first[:50]
    assert [call.pk for call in second.rows] == newest_first[50:100]
    assert [call.pk for call in back.rows] == newest_first[:50]
    assert "q=555" in first.older
    assert first.newer == ""


def test_history_asked_by_htmx_puts_its_state_into_the_address(desk: Client) -> None:
    response = desk.get("/calls/?q=0141&state=&line=", headers={"HX-Request": "true"})

    assert response.headers["HX-Push-Url"] == "/calls/?q=0141"


def test_transfers_tell_what_did_the_work_and_what_became_of_refers(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    asked = now() - timedelta(seconds=60)
    late = {"refer_asked_at": asked, "refer_deadline_at": asked + timedelta(seconds=4)}
    for seconds in (9, 11):
        connected = asked + timedelta(seconds=seconds)
        make_attempt(
            call, state="settled", mechanism="redirect", outcome="connected", requested_at=asked,
            human_connected_at=connected, **late,
        )  # fmt: skip
    seen = {**late, "refer_seen_at": asked + timedelta(seconds=1)}
    make_attempt(call, state="settled", mechanism="refer", outcome="connected", requested_at=asked, **seen)
    seen_late = {**late, "refer_seen_at": asked + timedelta(seconds=9)}
    make_attempt(call, state="settled", mechanism="refer", outcome="connected", requested_at=asked, **seen_late)

    (line,) = desk.get("/transfers/").context["groups"]

    (_, waits, _) = line.waits[1]
    assert (waits.n, waits.p50, waits.p95) == (2, 9_000, 11_000)
    refer = line.ways[0].tally
    assert (line.name, refer.asked, refer.proven) == ("Northline support", 4, 1)
    assert (refer.counts["late"], refer.counts["unproven"]) == (1, 2)


def test_a_trunk_call_says_beside_the_button_that_there_is_no_fallback(desk: Client, make_call: MakeCall) -> None:
    trunk = make_line(number="+15550102", topology="trunk", transfer_policy="refer_only")
    call = make_call(line=trunk, topology="trunk")

    assert "there is no fallback" in desk.get(f"/calls/{call.pk}/").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"carrier_sid": "CA1"}, "OpenAI is asked for a REFER"),
        ({"carrier_sid": "CA1", "state": "with_human"}, "The carrier is told to move the caller at once"),
        ({}, "you decide what happens next"),
    ],
    ids=["with the assistant", "bug: with a human there is no assistant to ask", "no leg known"],
)
def test_the_plan_says_what_the_button_will_do_to_the_call_as_it_stands(
    desk: Client, make_call: MakeCall, fields: dict[str, str], words: str
) -> None:
    call = make_call(line=make_line(), **fields)

    assert words in desk.get(f"/calls/{call.pk}/").content.decode()


def test_a_call_rescued_from_a_trunk_has_a_way_to_move_its_caller(desk: Client, make_call: MakeCall) -> None:
    trunk = make_line(number="+15550102", topology="trunk", transfer_policy="refer_only")
    call = make_call(line=trunk, topology="twiml", carrier_sid="CA1")

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert "there is no fallback" not in text
    assert "the caller is redirected" in text
