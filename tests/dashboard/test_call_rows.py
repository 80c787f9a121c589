"""The rows of a call's page are drawn by hand: they say what their templates said, and what others wrote stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.dashboard.call_rows import event_row, event_rows, turn_row, turn_rows
from callops.sideband.models import Turn
from tests.dashboard.conftest import NOON

EVIL = """<b onclick="alert(1)">'&"""
AS_TEXT = "&lt;b onclick=&quot;alert(1)&quot;&gt;&#x27;&amp;"
TAG = re.compile(r"""<b |onclick="|'""")
AT = (
    '<a class="turn-at" href="#turn-17" title="Link to this line">'
    '<time datetime="2026-11-22T12:00:00.000Z" data-form="clock" title="2026-11-22 12:00:00 UTC">12:00:00</time></a>\n'
)


def turn(**fields: Any) -> Turn:
    told = {"pk": 17, "call_id": "01call", "speaker": "caller", "text": "I want a refund.", "final": True}
    return Turn(**{**told, "started_at": NOON, **fields})


def event(**fields: Any) -> Event:
    told = {"call_id": "01call", "seq": 12, "at": NOON, "lane": "carrier", "kind": Kind.CARRIER_LEG, "body": {}}
    return Event(**{**told, **fields})


def said(drawn: str) -> str:
    """What stands in the text of a turn's row."""
    (words,) = re.findall('<div class="turn-text">(.*)</div>\n</li>', drawn, re.DOTALL)
    return str(words)


def test_a_line_of_the_transcript_says_who_said_what_and_when() -> None:
    assert turn_row(turn()) == (
        '<li id="turn-17" class="turn from-caller">\n'
        f"{AT}"
        '<span class="turn-who">caller</span>\n'
        '<div class="turn-text"><span>I want a refund.</span></div>\n'
        "</li>"
    )


def test_a_line_that_is_still_spoken_is_marked_and_goes_to_a_browser_that_has_it() -> None:
    assert turn_row(turn(speaker="assistant", final=False, partial=True), swap="true") == (
        '<li id="turn-17" class="turn from-assistant unfinished" aria-live="off" hx-swap-oob="true">\n'
        f"{AT}"
        '<span class="turn-who">assistant</span>\n'
        '<div class="turn-text"><span>I want a refund.</span><span class="caret" aria-hidden="true"></span>'
        '<span class="sr"> still speaking</span>'
        ' <small class="note tone-look">cut off when the connection ended</small></div>\n'
        "</li>"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"heard_chars": 6},
            (
                '<span>I want</span><del title="The caller had cut in and did not hear this"> a refund.</del>'
                ' <small class="note">cut off, not heard</small>'
            ),
        ),
        ({"heard_chars": 99}, "<span>I want a refund.</span>"),
        (
            {
                "speaker": "tool",
                "text": '{"id": 7}',
                "detail": {"name": "find_order", "call_id": "fc_1", "output": "ok"},
            },
            (
                '<div class="card tool-card"><p><b>find_order</b> <span class="note">fc_1</span></p>'
                '<code class="tool">{&quot;id&quot;: 7}</code><p class="note">answered <code>ok</code></p></div>'
            ),
        ),
        (
            {"speaker": "tool", "text": ""},
            (
                '<div class="card tool-card"><p><b>tool</b> <span class="note"></span></p>'
                '<code class="tool">used a tool</code><p class="note">not answered yet</p></div>'
            ),
        ),
        (
            {"speaker": "operator", "detail": {"whisper": True, "by": "ada"}},
            '<div class="card"><p class="note">whisper of ada, hidden from the caller</p><p>I want a refund.</p></div>',
        ),
        (
            {"detail": {"redacted": {"card": 2, "email": 1}}},
            (
                '<span>I want a refund.</span> <small class="note" title="Replaced before it was kept, by the rules of'
                ' this line">card number × 2, e-mail address not kept readable</small>'
                ' <a class="reveal" href="/calls/01call/reveal/17">Read it…</a>'
            ),
        ),
        (
            {"detail": {"waited_ms": 912}},
            (
                '<span>I want a refund.</span> <span class="took" title="From OpenAI\'s word that the caller stopped'
                " speaking until the answer began to play, by our receive times. The half second of silence by which it"
                ' knows is not in it."><meter min="0" max="4000" low="1500" high="3000" optimum="0" value="912"'
                ' aria-hidden="true"></meter>0.9 s</span>'
            ),
        ),
    ],
)
def test_a_line_says_what_became_of_it(fields: dict[str, Any], words: str) -> None:
    assert said(turn_row(turn(**fields))) == words


def test_a_whisper_looks_like_one() -> None:
    assert 'class="turn from-operator whispered"' in turn_row(turn(speaker="operator", detail={"whisper": True}))


def test_an_event_says_what_happened_when_and_by_whose_word() -> None:
    drawn = event_row(event(body={"role": "human", "status": "ringing"}))

    assert drawn == (
        '<li id="event-12" class="event lane-carrier">\n'
        '<span class="event-at"><time datetime="2026-11-22T12:00:00.000Z" data-form="exact"'
        ' title="2026-11-22 12:00:00 UTC">12:00:00.000</time></span>\n'
        '<span class="event-lane">Twilio</span>\n'
        '<div class="event-text">The human&#x27;s leg is ringing.</div>\n'
        '<details id="raw-12"><summary title="What exactly was received or sent">raw</summary>'
        f'<p class="note mono">{Kind.CARRIER_LEG}</p><pre tabindex="0">{{\n'
        "  &quot;role&quot;: &quot;human&quot;,\n"
        "  &quot;status&quot;: &quot;ringing&quot;\n"
        "}</pre></details>\n"
        "</li>"
    )


@pytest.mark.parametrize("fields", [{"kind": Kind.OPENAI_TURN, "body": {"text": "Hello"}}, {"body": {}}])
def test_a_body_that_says_no_more_than_the_page_is_not_shown(fields: dict[str, Any]) -> None:
    assert "<details" not in event_row(event(**fields))


@pytest.mark.parametrize("speaker", ["caller", "tool", "operator", EVIL])
@pytest.mark.parametrize("heard_chars", [None, 2])
def test_whatever_others_wrote_is_text_in_the_transcript(speaker: str, heard_chars: int | None) -> None:
    details: list[dict[str, Any]] = [
        {"name": EVIL, "call_id": EVIL, "output": EVIL, "redacted": {EVIL: 2}},
        {"whisper": True, "by": EVIL},
        {"output": {EVIL: [EVIL]}, "waited_ms": 900},
    ]
    for detail in details:
        drawn = turn_row(turn(speaker=speaker, text=EVIL, heard_chars=heard_chars, detail=detail), swap=EVIL)

        assert not TAG.search(drawn.replace("OpenAI's word", "").replace("<b>", ""))
        assert AS_TEXT in drawn
        assert f'hx-swap-oob="{AS_TEXT}"' in drawn


@pytest.mark.parametrize("kind", [*Kind, EVIL])
def test_whatever_others_wrote_is_text_on_the_timeline(kind: str) -> None:
    keys = ("text", "speaker", "status", "label", "by", "why", "reason", "message", "key", "code", "target", "name")

    drawn = event_row(event(kind=kind, lane=EVIL, body={**dict.fromkeys(keys, EVIL), EVIL: EVIL}))

    assert not TAG.search(drawn)
    assert drawn.count("&lt;b onclick=&quot;") >= 2


def test_a_page_shows_one_row_after_the_other() -> None:
    assert turn_rows([turn(), turn(pk=18)]) == f"{turn_row(turn())}\n{turn_row(turn(pk=18))}"
    assert event_rows([event(), event(seq=13)]) == f"{event_row(event())}\n{event_row(event(seq=13))}"
