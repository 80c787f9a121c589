"""What the hub reads of many calls at once is what their pages read of one, and never more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.core.clock import now
from callops.dashboard import board, call_page
from callops.dashboard.board_row import board_row
from callops.dashboard.sifting import Sift
from callops.people.standing import Scope
from callops.supervision import presence
from callops.supervision.models import Presence
from tests.dashboard.conftest import MakeCall, make_attempt, make_line, make_turn
from tests.rows import make_session

pytestmark = pytest.mark.django_db

TALKING = {"ai_call_id": "rtc_1", "state": "live", "ai_session": "open"}


@pytest.mark.parametrize(
    ("fields", "session"),
    [
        (TALKING, {}),
        ({**TALKING, "state": "with_human"}, {}),
        ({**TALKING, "ai_session": "reconnecting"}, {}),
        ({**TALKING, "end_wish": "operator"}, {}),
        ({**TALKING, "has_open_transfer": True, "incomplete": True}, {}),
        (TALKING, {"closed_at": now()}),
        (TALKING, {"opened_at": None}),
        (TALKING, {"ai_call_id": "rtc_earlier"}),
        (TALKING, {"silence": "", "silent_since": None}),
    ],
)
def test_from_afar_a_call_looks_as_its_page_does(
    make_call: MakeCall, fields: dict[str, Any], session: dict[str, Any]
) -> None:
    at, call = now(), make_call(**fields)
    quiet = {"opened_at": at - timedelta(minutes=56), "silence": "dead_air", "silent_since": at - timedelta(minutes=1)}
    promised = {"promised_item": "item_1", "promised_from": at, "promised_at": at - timedelta(minutes=1)}
    make_session(call, **{**quiet, **promised, **session})
    for who in ("bob", "ada"):
        presence.here(call.pk, who, now=at)
    Presence.objects.create(call=call, who="ada", seen_at=at)
    Presence.objects.create(call=call, who="long gone", seen_at=at - timedelta(hours=1))

    picture = call_page.read(call.pk, now=at)

    assert picture is not None
    assert call_page.stamps([call.pk, "nobody"], at) == {call.pk: picture.stamp}
    assert picture.looking == ("ada", "bob")
    assert {row.id: row.stamp for row in board.rows(at)} == board.stamps(at)
    assert [(row.standing, row.looking) for row in board.rows(at)] == [(picture.standing, picture.looking)]


def test_a_row_of_the_board_needs_no_column_that_was_not_read(
    make_call: MakeCall, django_assert_num_queries: Any
) -> None:
    line, at = make_line(), now()
    for fields in (
        {"line": line},
        {"carrier_sid": None, "ai_call_id": "rtc_2"},
        {"line": line, "state": "connecting", "webhook_due_at": at - timedelta(seconds=9), "ai_dialled_at": at},
        {"state": "ended", "ended_at": at, "ended_by": "caller"},
        {"state": "ended", "ended_at": at, "failure_stage": "sip_rejected"},
        {"ai_left_at": at, "carrier_sid": "CA1"},
    ):
        call = make_call(**fields)
        make_turn(call, 1, "Hello")
        make_attempt(call, state="settled", mechanism="redirect", outcome="connected", human_connected_at=at)

    with django_assert_num_queries(4):
        rows = board.rows(at)
    with django_assert_num_queries(0):
        drawn = [board_row(row) for row in rows if Sift(line=line.pk, part="x").lets(row.call) or row.id]

    assert len(drawn) == 6
    assert sum("Northline support" in each for each in drawn) == 2


def test_a_row_says_what_was_said_last_and_which_tools_were_used_in_their_order(make_call: MakeCall) -> None:
    call, silent = make_call(), make_call()
    for position, speaker, text, name in (
        (1, "caller", "First", ""),
        (5, "assistant", "Last", ""),
        (6, "assistant", "", ""),
        (3, "tool", "x", "find_order"),
        (2, "tool", "x", "greet"),
        (7, "tool", "x", "find_order"),
        (8, "operator", "A whisper", ""),
    ):
        make_turn(call, position, text, speaker=speaker, detail={"name": name} if name else {})

    rows = {row.id: row for row in board.rows(now(), only=[call.pk, silent.pk])}

    assert rows[call.pk].turn is not None and rows[call.pk].turn.text == "Last"
    assert rows[call.pk].tools == ("greet", "find_order")
    assert (rows[silent.pk].turn, rows[silent.pk].tools) == (None, ())


def test_who_sees_no_line_sees_no_call_and_who_sees_one_sees_its_calls(make_call: MakeCall) -> None:
    ours, theirs = make_line(), make_line(number="+15550101")
    seen, _ = make_call(line=ours), (make_call(line=theirs), make_call())
    at, nothing, one = now(), Scope(frozenset()), Scope(frozenset({ours.pk}))

    assert (board.rows(at, nothing), board.rows(at, nothing, only=[seen.pk]), board.stamps(at, nothing)) == ([], [], {})
    assert [row.id for row in board.rows(at, one)] == [*board.stamps(at, one)] == [seen.pk]
