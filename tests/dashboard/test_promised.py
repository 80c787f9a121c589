"""A promise nobody kept needs somebody, and one click does what was promised."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from callops.calls.models import Call, Destination
from callops.core.clock import now
from callops.dashboard.phrases import SAID_NOT_DONE
from callops.sideband.models import AiSession
from callops.transfers.models import TransferAttempt
from tests.dashboard.conftest import MakeCall, make_attempt, make_line, make_turn
from tests.rows import make_session

BUTTON = re.compile(r'<button class="act" type="submit" name="destination" value="(\w+)">(.*?)</button>')


def promised(make_call: MakeCall, words: str = "I'll put you through to the front desk now.", **fields: Any) -> Call:
    """The assistant said so from 20 to 15 s ago."""
    call = make_call(ai_call_id="rtc_1", **fields)
    turn = make_turn(call, 1, words, speaker="assistant", started_at=ago(20))
    make_session(call, opened_at=ago(60), promised_item=turn.item_id, promised_from=ago(20), promised_at=ago(15))
    return call


def ago(seconds: float) -> Any:
    return now() - timedelta(seconds=seconds)


def fallback() -> Destination:
    return Destination.objects.create(name="oncall", label="On call", uri="tel:+15550112")


def test_the_board_says_that_nothing_was_started(desk: Client, make_call: MakeCall) -> None:
    call = promised(make_call)

    needs = desk.get("/").context["needs"]

    assert [(row.id, row.why) for row in needs] == [(call.pk, SAID_NOT_DONE)]


def test_the_notice_has_the_words_and_a_button_to_the_destination_they_name(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = promised(
        make_call, "Of course. I'll put you through to the front desk now.", line=make_line(fallback=fallback())
    )

    text = desk.get(f"/calls/{call.pk}/").content.decode()

    assert SAID_NOT_DONE in text
    assert "<q>I&#x27;ll put you through to the front desk now.</q>" in text
    assert BUTTON.findall(text) == [("frontdesk", "Transfer to Front desk")]
    assert '<option value="frontdesk" selected>' in text


def test_a_promise_without_a_name_leads_to_the_lines_fallback(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = promised(make_call, "I am connecting you.", line=make_line(fallback=fallback()))

    assert BUTTON.findall(desk.get(f"/calls/{call.pk}/").content.decode()) == [("oncall", "Transfer to On call")]


def test_one_click_does_it_also_without_javascript(desk: Client, make_call: MakeCall, frontdesk: Destination) -> None:
    call = promised(make_call, "I am connecting you.", line=make_line(fallback=fallback()))

    data = {"key": "k1", "destination": ["frontdesk", "oncall"]}
    response = desk.post(f"/calls/{call.pk}/transfer", data)

    assert response.status_code == 303
    assert TransferAttempt.objects.get().target_label == "On call", "the button stands after the list in the form"
    assert SAID_NOT_DONE not in desk.get(f"/calls/{call.pk}/").content.decode()
    assert desk.get("/").context["needs"] == []


def test_nothing_is_started_by_looking(desk: Client, make_call: MakeCall, frontdesk: Destination) -> None:
    call = promised(make_call)

    for page in ("/", f"/calls/{call.pk}/"):
        desk.get(page)

    assert not TransferAttempt.objects.exists()


def test_a_promise_is_given_five_seconds(desk: Client, make_call: MakeCall) -> None:
    promised(make_call)
    AiSession.objects.update(promised_at=ago(3))

    assert desk.get("/").context["needs"] == []


def test_a_transfer_that_ended_before_does_not_keep_the_promise_and_a_later_one_does(
    desk: Client, make_call: MakeCall
) -> None:
    call = promised(make_call)
    make_attempt(call, state="settled", outcome="cancelled", requested_at=ago(50), settled_at=ago(40))
    assert len(desk.get("/").context["needs"]) == 1

    make_attempt(call, state="settled", outcome="cancelled", requested_at=ago(17), settled_at=ago(16))
    assert desk.get("/").context["needs"] == []


def test_who_may_only_watch_reads_it_and_has_no_button(
    client: Client, watcher: User, make_call: MakeCall, frontdesk: Destination
) -> None:
    client.force_login(watcher)
    call = promised(make_call)

    text = client.get(f"/calls/{call.pk}/").content.decode()

    assert SAID_NOT_DONE in text
    assert not BUTTON.findall(text)
