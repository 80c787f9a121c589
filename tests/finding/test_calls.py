"""Which calls fit a query: each field, both ways, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from callops.calls import commands
from callops.calls.models import Call
from callops.core.ids import new_id
from callops.custody.models import Hold
from callops.finding import calls as finding
from callops.finding.language import parse
from callops.sideband.models import Turn
from callops.transfers.models import TransferAttempt
from tests.rows import at, make_attempt, make_call, make_line, make_refer

pytestmark = pytest.mark.django_db
NOW = at(3000)


def fits(call: Call, text: str, *, numbers: bool = True) -> bool:
    query = parse(text, now=NOW)
    assert not query.problems
    rows: QuerySet[Any] = finding.fitting(Call.objects.all(), query, now=NOW, numbers=numbers)
    return call.pk in set(rows.values_list("pk", flat=True))


def say(call: Call, text: str, **fields: Any) -> Turn:
    position = Turn.objects.filter(call=call).count()
    about = {"item_id": f"i{position}", "position": position, "speaker": "caller", "final": True} | fields
    return Turn.objects.create(call=call, text=text, started_at=NOW, **about)


def moved(call: Call, **fields: Any) -> TransferAttempt:
    attempt = make_attempt(call)
    TransferAttempt.objects.filter(pk=attempt.pk).update(**fields)
    if fields.get("state") == "settled":
        Call.objects.filter(pk=call.pk).update(has_open_transfer=False, state="live")
    return attempt


@pytest.fixture
def call() -> Call:
    return make_call(make_line(name="Support", number="+4930777"), from_number="+491701234567", to_number="+4930777")


@pytest.mark.parametrize(
    ("fields", "yes", "no"),
    [
        ({"state": "live"}, ["state:live", "is:live", "-state:ended"], ["state:ended", "-is:live"]),
        ({"failure_stage": "webhook_missing"}, ["stage:webhook_missing", "stage:any"], ["stage:our_fault"]),
        ({"failure_stage": "our_fault", "state": "ended"}, ["fate:lost"], ["fate:rescued", "-fate:lost"]),
        ({}, ["-stage:any", "line:supp", "line:+4930777", "since:1h"], ["stage:any", "fate:lost", "line:sales"]),
        ({"ended_by": "caller"}, ["ended:caller"], ["ended:human", "-ended:caller"]),
        ({"incomplete": True}, ["is:incomplete"], ["-is:incomplete", "is:marked", "is:held"]),
        ({"correlation_method": "manual"}, ["join:manual"], ["join:none"]),
        (
            {"started_at": NOW - timedelta(minutes=9), "ended_at": NOW - timedelta(minutes=2), "state": "ended"},
            ["lasted>6m", "lasted<8m", "-lasted>8m"],
            ["lasted>8m", "lasted<6m"],
        ),
        ({"started_at": NOW - timedelta(minutes=9), "ended_at": None}, ["lasted>8m"], ["lasted<20m", "lasted>10m"]),
    ],
)
def test_each_field_of_a_call(call: Call, fields: dict[str, Any], yes: list[str], no: list[str]) -> None:
    Call.objects.filter(pk=call.pk).update(**fields)

    assert [text for text in yes if not fits(call, text)] == []
    assert [text for text in no if fits(call, text)] == []


@pytest.mark.parametrize(
    ("fields", "yes", "no"),
    [
        ({"mechanism": "redirect"}, ["mechanism:redirect", "is:transferred"], ["mechanism:refer", "-is:transferred"]),
        ({"outcome": "connected"}, ["outcome:connected"], ["outcome:busy", "-outcome:connected"]),
        ({"requested_by": "Ada"}, ["by:ada", "dest:frontdesk"], ["by:bob", "dest:nowhere"]),
        (
            {"requested_at": NOW - timedelta(seconds=60), "human_connected_at": NOW - timedelta(seconds=48)},
            ["wait>10s", "wait<13s"],
            ["wait>13s", "wait<10s"],
        ),
        (
            {"requested_at": NOW - timedelta(seconds=60), "settled_at": NOW - timedelta(seconds=40)},
            ["wait>19s"],
            ["wait>21s"],
        ),
        ({"requested_at": NOW - timedelta(seconds=60)}, ["wait>59s", "wait<61s"], ["wait>61s", "wait<59s"]),
    ],
)
def test_each_field_of_a_transfer(call: Call, fields: dict[str, Any], yes: list[str], no: list[str]) -> None:
    moved(call, **fields)

    assert [text for text in yes if not fits(call, text)] == []
    assert [text for text in no if fits(call, text)] == []


def test_all_that_is_asked_of_a_transfer_has_to_fit_one_and_the_same(call: Call) -> None:
    moved(call, mechanism="refer", outcome="busy", state="settled")
    moved(call, mechanism="redirect", outcome="connected")

    assert fits(call, "mechanism:refer outcome:busy")
    assert not fits(call, "mechanism:refer outcome:connected")
    assert not fits(call, "outcome:connected -mechanism:refer")


@pytest.mark.parametrize(("fate", "word"), [("unproven", "unseen"), ("unproven", "unproven"), ("proven", "proven")])
def test_what_became_of_a_refer(fate: str, word: str) -> None:
    attempt = make_refer(make_line(), NOW - timedelta(minutes=5), fate)

    assert fits(attempt.call, f"refer:{word}")
    assert fits(attempt.call, "refer:asked")
    assert not fits(attempt.call, "refer:refused")


def test_words_of_the_transcript_are_found_in_turns_of_the_speaker_asked_for(call: Call) -> None:
    say(call, "I want my money back")
    say(call, "Of course, a refund", speaker="assistant")

    assert fits(call, '"money back" refund')
    assert fits(call, "refund said:assistant")
    assert not fits(call, "refund said:caller")
    assert not fits(call, '"back money"')
    assert fits(call, "refu*")
    assert not fits(call, "-refund")
    assert fits(call, "-weather")


def test_a_number_and_every_id_find_the_call(call: Call) -> None:
    attempt = make_attempt(call)
    Call.objects.filter(pk=call.pk).update(ai_call_id="rtc_abc123", ai_leg_sid="CA" + "f" * 32)
    call.refresh_from_db()

    for text in ("1234567", "+49 170 1234", call.pk, call.carrier_sid, "rtc_abc123", call.ai_leg_sid, attempt.pk):
        assert fits(call, str(text)), text
    assert not fits(call, "-1234567")
    assert not fits(call, "999999")


def test_who_may_read_no_number_finds_none_by_its_digits_and_none_by_a_word_with_digits(call: Call) -> None:
    say(call, "my number is +491701234567, extension 4711, thanks")

    for text in ("1234", '"+491701234567"', '"4917*"', "ext4711*", "4711"):
        assert not fits(call, text, numbers=False), text
    assert fits(call, "extension", numbers=False)
    assert fits(call, call.pk, numbers=False)


def test_who_may_read_no_number_finds_none_that_a_transfer_went_to(call: Call) -> None:
    moved(call, target_label="+491701234567")

    assert fits(call, "dest:1701")
    for text in ("dest:1701", "dest:+491701234567", "-dest:999"):
        assert not fits(call, text, numbers=False), text


def test_calls_that_somebody_marked_or_that_are_held_are_found(call: Call) -> None:
    commands.mark(call=call, by="ada", text="here", now=NOW)
    Hold.objects.create(call=call, why="court", placed_at=NOW, placed_by="ada")
    say(call, "[card number]", detail={"redacted": {"card": 1}})

    assert fits(call, "is:marked is:held is:redacted")


def test_the_turns_to_show_hold_one_of_the_phrases(call: Call) -> None:
    say(call, "a refund")
    say(call, "nothing")
    say(call, "money please", speaker="assistant")
    query = parse("refund money -weather 4930", now=NOW)

    assert [turn.text for turn in finding.turns(query).order_by("position")] == ["a refund", "money please"]
    assert finding.said(query) == ["refund", "money"]
    assert not finding.turns(parse("4930", now=NOW)).exists()


def test_a_call_begins_when_its_id_says(call: Call) -> None:
    old = make_call(call.line, id=new_id(NOW - timedelta(days=2)))

    assert fits(old, "until:1d")
    assert not fits(old, "since:1d")
    assert not fits(call, "until:1d")
