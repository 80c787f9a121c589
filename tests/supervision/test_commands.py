"""What a supervisor may ask of a conversation, and how far it gets: forward only, once, and with a reason when not."""

from __future__ import annotations

import pytest

from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Session, State
from callops.supervision import presence, progress
from callops.supervision.commands import NotNow, Unfit, cursor_of, intervene, is_paused
from callops.supervision.models import Act, Intervention, Step
from callops.supervision.progress import Told
from tests.rows import at, body_of, kinds, make_call, make_session

pytestmark = pytest.mark.django_db


def asked(call: Call, act: str = "whisper", words: str = "Offer a refund.", **wish: object) -> Intervention:
    return intervene(call=call, act=act, words=words, by="alice", now=at(0), **wish)


def steps(row: Intervention) -> Step:
    row.refresh_from_db()
    return Step(row.step)


def test_a_wish_is_a_fact_with_a_name_before_anything_is_sent() -> None:
    call = make_call()

    row = asked(call)

    assert (row.step, kinds(call)) == (Step.ASKED, [Kind.OPERATOR_WHISPERED])
    assert body_of(call, Kind.OPERATOR_WHISPERED) == {"by": "alice", "text": "Offer a refund.", "intervention": row.pk}


def test_the_same_key_is_the_same_wish() -> None:
    call = make_call()

    assert asked(call, key="k1").pk == asked(call, key="k1", words="Something else").pk
    assert Intervention.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "act", "words"),
    [
        ({"state": State.ENDED}, "whisper", "over"),
        ({"ai_session": Session.RECONNECTING}, "say", "not open"),
        ({"state": State.WITH_HUMAN}, "pause", "with a human"),
        ({}, "resume", "not paused"),
    ],
)
def test_what_cannot_be_done_now_is_refused_with_the_reason(fields: dict[str, str], act: str, words: str) -> None:
    call = make_call(**fields)

    with pytest.raises(NotNow, match=words):
        asked(call, act)

    assert kinds(call) == []


def test_a_stale_screen_is_told_to_look_again() -> None:
    call = make_call()
    seen = cursor_of(call)
    Call.objects.filter(pk=call.pk).update(state=State.TRANSFERRING)

    with pytest.raises(NotNow, match="changed since"):
        asked(call, cursor=seen)

    assert asked(call, cursor=cursor_of(Call.objects.get(pk=call.pk))).step == Step.ASKED


@pytest.mark.parametrize(("act", "words"), [("whisper", "  "), ("say", "x" * 501), ("sing", "la")])
def test_a_wish_that_makes_no_sense_is_unfit(act: str, words: str) -> None:
    with pytest.raises(Unfit):
        asked(make_call(), act, words)


def test_an_act_is_handed_over_by_one_and_moves_forward_only() -> None:
    call = make_call()
    session = make_session(call)
    row = asked(call)
    assert progress.waiting([session.pk]) == [(session.pk, row.pk)]

    assert [bool(progress.claim(row.pk, now=at(1))) for _ in range(2)] == [True, False]
    for told in (Told(Step.SEEN, row.pk), Told(Step.ACKNOWLEDGED, row.pk), Told(Step.REFUSED, row.pk, why="no")):
        progress.tell(session.pk, [told], now=at(2))

    assert steps(row) is Step.SEEN
    assert kinds(call) == [Kind.OPERATOR_WHISPERED, Kind.OPENAI_ACT_SEEN]


def test_a_late_answer_still_counts_after_nobody_knew() -> None:
    call = make_call()
    session = make_session(call)
    row, never = asked(call), asked(call)
    progress.claim(row.pk, now=at(0))

    progress.give_up(at(20))
    assert (steps(row), steps(never)) == (Step.LOST, Step.REFUSED)
    progress.tell(session.pk, [Told(Step.ACKNOWLEDGED, row.pk)], now=at(21))

    assert steps(row) is Step.ACKNOWLEDGED


def test_a_session_that_says_it_is_silent_answers_only_a_pause_sent_before() -> None:
    call = make_call()
    session = make_session(call)
    first, second = asked(call, "pause"), asked(call, "pause")
    progress.claim(first.pk, now=at(1))
    progress.claim(second.pk, now=at(5))

    progress.tell(session.pk, [Told(Step.ACKNOWLEDGED, act=Act.PAUSE, at=at(2))], now=at(2))

    assert (steps(first), steps(second)) == (Step.ACKNOWLEDGED, Step.SENT)
    assert is_paused(call)


def test_a_caller_who_is_back_talks_with_a_session_that_nobody_paused() -> None:
    call = make_call()
    session = make_session(call, opened_at=at(0))
    row = asked(call, "pause")
    progress.claim(row.pk, now=at(1))
    progress.tell(session.pk, [Told(Step.ACKNOWLEDGED, act=Act.PAUSE, at=at(2))], now=at(2))
    assert is_paused(call)

    make_session(call, ai_call_id="rtc_back", opened_at=at(30))

    assert not is_paused(call)


def test_who_looks_is_forgotten_by_itself() -> None:
    call = make_call()
    for who in ("bob", "alice", "bob"):
        presence.here(call.pk, who, now=at(0))

    assert presence.looking([call.pk], at(5)) == {call.pk: ("alice", "bob")}
    presence.gone(call.pk, "bob")
    assert presence.looking([call.pk], at(5)) == {call.pk: ("alice",)}
    assert presence.looking([call.pk], at(60)) == {}
