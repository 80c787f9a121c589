"""Dead air and promises nobody kept are on the timeline once, however many engines look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.calls.models import Call
from callops.engine import silences
from callops.sideband.models import AiSession, Turn
from callops.sideband.quiet import Silence
from callops.transfers.models import TransferAttempt
from tests.rows import at, body_of, kinds, make_attempt, make_call, make_session

pytestmark = pytest.mark.django_db


def silent(seconds: float = 8, whose: str = Silence.DEAD_AIR, **fields: Any) -> Call:
    call = make_call(**fields)
    make_session(call, opened_at=at(0), silence=whose, silent_since=at(seconds))
    return call


def test_dead_air_is_told_when_it_has_lasted_and_once() -> None:
    call = silent()

    silences.dead_air(at(19))
    assert kinds(call) == []
    for seconds in (20.5, 21, 40):
        silences.dead_air(at(seconds))

    assert kinds(call) == ["clock.dead_air"]
    assert body_of(call, "clock.dead_air")["seconds"] == 12.5


def test_the_next_spell_is_told_again() -> None:
    call = silent()
    silences.dead_air(at(21))

    AiSession.objects.update(silent_since=at(60))
    for seconds in (60.5, 72, 73):
        silences.dead_air(at(seconds))

    assert kinds(call) == ["clock.dead_air", "clock.dead_air"]


def test_a_second_engine_that_looked_at_the_same_moment_tells_nothing() -> None:
    call = silent()
    session = AiSession.objects.get()
    silences.dead_air(at(21))

    silences._tell_dead_air(session, at(21))

    assert kinds(call) == ["clock.dead_air"]


@pytest.mark.parametrize(
    "fields",
    [
        {"whose": Silence.CALLER},
        {"state": "transferring"},
        {"state": "with_human"},
        {"state": "ended"},
        {"ai_session": "reconnecting"},
        {"end_wish": "operator"},
    ],
)
def test_silent_callers_and_calls_that_talk_with_nobody_are_not_dead_air(fields: dict[str, Any]) -> None:
    call = silent(**fields)

    silences.dead_air(at(0) + timedelta(minutes=5))

    assert kinds(call) == []


def promised(**fields: Any) -> Call:
    """The assistant said from 10 to 14 that it transfers."""
    call = make_call(**fields)
    Turn.objects.create(
        call=call,
        item_id="item_1",
        position=1,
        speaker="assistant",
        text="Sure. I'm connecting you.",
        started_at=at(10),
    )
    make_session(call, opened_at=at(0), promised_item="item_1", promised_from=at(10), promised_at=at(14))
    return call


def test_a_promise_nothing_followed_is_told_once_with_the_words() -> None:
    call = promised()

    silences.said_not_done(at(18.9))
    assert kinds(call) == []
    for seconds in (19, 20, 60):
        silences.said_not_done(at(seconds))

    assert kinds(call) == ["clock.said_not_done"]
    assert body_of(call, "clock.said_not_done") == {"said": "I'm connecting you.", "item_id": "item_1", "seconds": 5.0}
    assert not TransferAttempt.objects.exists()


def test_the_next_promise_is_told_again() -> None:
    call = promised()
    silences.said_not_done(at(20))

    AiSession.objects.update(promised_item="item_2", promised_from=at(30), promised_at=at(33))
    silences.said_not_done(at(40))

    assert kinds(call) == ["clock.said_not_done", "clock.said_not_done"]


@pytest.mark.parametrize(
    ("asked", "settled", "told"),
    [(12, None, False), (17, None, False), (5, 12, False), (2, 8, True)],
    ids=["asked while it spoke", "asked in time", "settled since", "settled before"],
)
def test_a_transfer_asked_or_settled_since_keeps_the_promise(asked: float, settled: float | None, told: bool) -> None:
    call = promised()
    make_attempt(call, now=at(asked))
    TransferAttempt.objects.update(state="settled", settled_at=at(settled) if settled else None)
    Call.objects.update(state="live", has_open_transfer=False)

    silences.said_not_done(at(20))

    assert ("clock.said_not_done" in kinds(call)) is told
