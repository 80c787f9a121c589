"""Rows that are drawn by hand say what they should, and whatever others wrote in them stays text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils.text import Truncator

from callops.calls.kinds import Kind
from callops.calls.models import Call, Line
from callops.calls.words import Lane
from callops.dashboard.board import Row
from callops.dashboard.board_row import board_row
from callops.dashboard.needs import Need, Rank
from callops.dashboard.timeline_rows import timeline_rows
from callops.reports import rows as timeline
from callops.reports.absences import Expected
from callops.reports.record import Happening
from callops.sideband.glance import Standing
from callops.sideband.models import Turn
from callops.sideband.quiet import Silence
from callops.transfers.models import Mechanism, TransferAttempt
from tests.dashboard.conftest import NOON

EVIL = """<b onclick="alert(1)">'&"""
TAG = re.compile(r"""<b|onclick="|'""")
DEAD = Standing(silence=Silence.DEAD_AIR, silent_since=NOON)


def call(**fields: object) -> Call:
    told: dict[str, object] = {"id": "01call", "from_number": "+15550123", "to_number": "+15550100", "state": "live"}
    told |= {"ai_session": "open", "carrier_sid": "CA01", "ai_call_id": "rtc_01", "started_at": NOON}
    return Call(**{**told, **fields})


def row(of: Call, **fields: Any) -> Row:
    return Row(**{"call": of, "attempt": None, "turn": None, "need": None, **fields})


def test_a_row_of_the_board_says_who_talks_on_which_line_and_what_was_said_last() -> None:
    talking = call(line=Line(name="Northline support"))
    moved = TransferAttempt(mechanism=Mechanism.REDIRECT, requested_at=NOON)
    moved.human_connected_at = NOON + timedelta(seconds=9.14)
    said = Turn(speaker="caller", text="I want a refund.")

    drawn = board_row(row(talking, turn=said, attempt=moved, tools=("find_order",), looking=("ada", "bob")), live=True)

    assert drawn == (
        '<li id="row-01call" class="row"><a href="/calls/01call/">\n'
        '<span class="row-state"><span class="chip tone-talking"><span class="shape dot" aria-hidden="true"></span>'
        "live</span></span>\n"
        '<span class="row-time"><span class="elapsed" data-since="2026-11-22T12:00:00.000Z"></span></span>\n'
        '<span class="row-caller"><data class="tel" value="+15550123" title="+1 555 0123">555-0123</data></span>\n'
        '<span class="row-line">Northline support</span>\n'
        '<span class="row-words"><q class="from-caller">I want a refund.</q></span>\n'
        '<span class="row-about"><span class="tool">find_order</span>'
        '<span class="note" title="ada, bob">2 watching</span></span>\n'
        '<span class="row-verdict"><span class="chip tone-proven"><span class="shape check" aria-hidden="true"></span>'
        'Twilio redirect</span> <span class="wait">9.1 s</span></span>\n'
        "</a></li>"
    )


def test_a_row_that_needs_somebody_says_why_since_when_and_what_to_do() -> None:
    need = Need("Dead air.", Rank.ALONE, "Transfer", "commands")

    drawn = board_row(row(call(carrier_sid=None), need=need, standing=DEAD), "true", is_new=True, live=True)

    assert drawn.startswith('<li id="row-01call" class="row new" hx-swap-oob="true">')
    assert (
        '<span class="row-words"><span class="why">Dead air. '
        '<span class="elapsed" data-since="2026-11-22T12:00:00.000Z"></span></span>'
        ' <span class="half tone-look">no carrier leg known</span></span>'
    ) in drawn
    assert drawn.endswith(
        '</a><a class="row-act" href="/calls/01call/#commands">Transfer<span class="sr">: +1 555 0123</span></a></li>'
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "ended", "failure_stage": "sip_rejected"}, "The AI&#x27;s SIP side refused the call"),
        ({"state": "ended", "ended_by": "caller"}, "ended by the caller"),
        ({"state": "connecting"}, "AI dialled, waiting for its webhook"),
        ({}, "nothing said yet"),
    ],
)
def test_a_row_without_words_says_how_it_ended_or_what_is_waited_for(fields: dict[str, str], words: str) -> None:
    drawn = board_row(row(call(**fields)))

    assert f'<span class="note">{words}</span>' in drawn
    assert (" over" in drawn) == (fields.get("state") == "ended")


@pytest.mark.parametrize("need", [None, Need(EVIL, Rank.ALONE, EVIL, EVIL)])
def test_whatever_others_wrote_is_text_on_the_board(need: Need | None) -> None:
    strange = call(from_number=EVIL, to_number=EVIL)
    named = call(line=Line(name=EVIL))
    said = Turn(speaker=EVIL, text=EVIL)

    for each in (strange, named):
        drawn = board_row(row(each, turn=said, need=need, tools=(EVIL,), looking=(EVIL,), standing=DEAD), EVIL)

        assert not TAG.search(drawn)
        assert drawn.count("&lt;b onclick=&quot;alert(1)&quot;&gt;&#x27;&amp;") >= 5


def test_long_last_words_are_cut() -> None:
    drawn = board_row(row(call(), turn=Turn(speaker="caller", text="word " * 100)))

    (said,) = re.findall("<q[^>]*>([^<]*)</q>", drawn)
    assert len(said) == 140 and said.endswith("…")


@pytest.mark.parametrize("part", ["word ", "Grüße ", "cafe\u0301 ", "\u1100\u1161\u11a8", "a\u0308\u0323"])
@pytest.mark.parametrize("more", ["", "x", "\u0301", "xy\u0301"])
def test_long_last_words_are_cut_between_letters_and_never_within_one(part: str, more: str) -> None:
    for length in (138, 139, 140, 141, 142, 150):
        text = (part * 140)[:length] + more

        (said,) = re.findall("<q[^>]*>([^<]*)</q>", board_row(row(call(), turn=Turn(speaker="caller", text=text))))

        assert said == (text if len(text) <= 140 else Truncator(text).chars(140))


def test_a_run_of_one_kind_is_one_row_with_the_others_inside() -> None:
    facts = [fact(seq, at_s=2.5 * seq) for seq in (1, 2, 3)]
    (run,) = timeline.chosen(facts, timeline.Wanted(), NOON)

    drawn = timeline_rows([run], "01call")

    assert re.findall(r'<li id="event-(\d)"', drawn) == ["1", "2", "3"]
    assert drawn.count('<span class="tl-gap" title="Time since the row before">+2.5 s</span>') == 2
    assert (
        "<details><summary>The caller finished speaking. “line 1”"
        ' <span class="note">and 2 more of its kind in 5.0 s</span></summary><ol><li id="event-2"'
    ) in drawn
    assert (
        '<a class="tl-raw" href="/calls/01call/timeline/2" hx-get="/calls/01call/timeline/2" hx-target="#raw-2"'
        ' aria-label="What exactly was received or sent: openai.turn, row 2">openai.turn</a>'
        '<div id="raw-2" class="tl-body"></div>'
    ) in drawn


def test_what_was_not_seen_leads_to_what_made_us_expect_it_and_is_no_fact_itself() -> None:
    since = Happening(seq=4, at=NOON, lane="us", kind=Kind.US_REFER_ASKED)
    missed = Expected(what="REFER at the carrier", lane="carrier", since=since, deadline=NOON, looked_until=NOON)
    absent = timeline.Row(at=NOON, lane="carrier", kind=timeline.NOT_SEEN, seq=4, expected=missed, trouble=True)

    drawn = timeline_rows([absent], "01call")

    assert drawn.startswith('<li class="tl-row tl-absent">')
    assert (
        '<span class="shape dashed" aria-hidden="true"></span>REFER at the carrier: not seen by 12:00:00'
        ' <a class="note" href="#event-4">expected because of this</a></div>'
    ) in drawn
    assert "tl-raw" not in drawn


def test_whatever_others_wrote_is_text_on_the_timeline() -> None:
    rows = [
        fact(1, text=EVIL, speaker=EVIL),
        fact(2, kind=EVIL),
        fact(3, lane=EVIL),
        timeline.Row(at=NOON, lane="openai", kind=f"{timeline.FRAME}{EVIL}", body={"count": 1, "lasted_s": 0.0}),
    ]

    drawn = timeline_rows([*rows, timeline.chosen([fact(5, text=EVIL)] * 3, timeline.Wanted(), NOON)[0]], "01call")

    assert not TAG.search(drawn)
    assert drawn.count("&lt;b onclick=") >= 8


def fact(
    seq: int, *, at_s: float = 0.0, kind: str = Kind.OPENAI_TURN, lane: str = Lane.CALLER, **body: str
) -> timeline.Row:
    told = {"text": f"line {seq}", "speaker": "caller", **body}
    return timeline.Row(at=NOON + timedelta(seconds=at_s), lane=lane, kind=kind, seq=seq, body=told)
