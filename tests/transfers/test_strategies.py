"""The one next step of an open transfer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.words import Policy
from callops.transfers.strategies import (
    ACTION_WAIT_S,
    CHILD_LOOKS_S,
    CHILD_POLL_S,
    DOUBT_LIMIT_S,
    FETCH_WAIT_S,
    HUMAN_WAIT_S,
    LONGEST_LOOK_PAUSE_S,
    LOST_PROCESS_S,
    MAX_TRIES,
    MOST_RETRY_WAIT_S,
    RETRY_WAIT_S,
    SUMMARY_WAIT_S,
    TAKEN_WAIT_S,
    TRUNK_WAIT_S,
    Act,
    Answer,
    Situation,
    Step,
    jitter,
    look_for_child_at,
    next_step,
    watch_trunk_at,
)
from tests.rows import NOON, at

REDIRECTED = {"policy": Policy.REDIRECT_ONLY, "redirect_asked_at": NOON, "redirect_tries": 1}
REFERRED = {"refer_asked_at": NOON, "refer_deadline_at": at(4)}
LOOKED = {**REDIRECTED, "redirect_answer": Answer.LOST, "looked_up_at": at(5), "look_ups": 1}
MISSED = {**REFERRED, "deadline_passed": True}
TRUNK = {**REFERRED, "policy": Policy.REFER_ONLY, "steerable": False}
BUSY = {**REDIRECTED, "redirect_answer": Answer.BUSY}


def step(seconds: float = 0.0, **seen: Any) -> Step:
    known = {"now": at(seconds), "policy": Policy.REFER_THEN_REDIRECT, "steerable": True}
    return next_step(Situation(**{**known, **seen}))


def waits(until: float) -> tuple[Act, datetime]:
    return Act.WAIT, at(until)


def does(act: Act) -> tuple[Act, None]:
    return act, None


WANTED = {"summary_wanted": True}
ASKED = {**WANTED, "summary_asked_at": NOON}

TABLE: list[tuple[str, float, dict[str, Any], tuple[Act, datetime | None]]] = [
    ("a REFER first", 0, {}, does(Act.REFER)),
    ("no REFER where only the redirect is wanted", 0, {"policy": Policy.REDIRECT_ONLY}, does(Act.REDIRECT)),
    ("a REFER where nothing else may be", 0, {"policy": Policy.REFER_ONLY}, does(Act.REFER)),
    ("a trunk gets a REFER", 0, {"policy": Policy.REFER_ONLY, "steerable": False}, does(Act.REFER)),
    ("an unsteerable redirect gives up", 0, {"policy": Policy.REDIRECT_ONLY, "steerable": False}, does(Act.GIVE_UP)),
    ("the redirect first while REFER is sick", 0, {"redirect_first": True}, does(Act.REDIRECT)),
    (
        "its failure takes the second carrier path",
        1,
        {**REDIRECTED, "policy": Policy.REFER_THEN_REDIRECT, "redirect_first": True, "redirect_answer": Answer.REFUSED},
        does(Act.END_AI_LEG),
    ),
    ("REFER only is never switched", 0, {"redirect_first": True, "policy": Policy.REFER_ONLY}, does(Act.REFER)),
    ("nor is who cannot be redirected", 0, {"redirect_first": True, "steerable": False}, does(Act.REFER)),
    ("the witness has time until the deadline", 1, REFERRED, waits(4)),
    ("an answer of 200 ends no wait", 1, {**REFERRED, "refer_answer": Answer.OK}, waits(4)),
    ("a lost answer ends no wait", 1, {**REFERRED, "refer_answer": Answer.LOST}, waits(4)),
    ("the deadline is missed when it is reached", 4, REFERRED, does(Act.MISS_DEADLINE)),
    ("a refused REFER is followed at once", 1, {**REFERRED, "refer_answer": Answer.REFUSED}, does(Act.REDIRECT)),
    ("a missed deadline is followed", 4, MISSED, does(Act.REDIRECT)),
    ("nothing follows where only a REFER may be", 4, {**MISSED, "policy": Policy.REFER_ONLY}, does(Act.GIVE_UP)),
    ("a summary is asked for first", 0, WANTED, does(Act.ASK_SUMMARY)),
    ("also before a redirect", 0, {**WANTED, "policy": Policy.REDIRECT_ONLY}, does(Act.ASK_SUMMARY)),
    ("a REFER waits for no summary", 0, ASKED, does(Act.REFER)),
    ("a redirect gives it a moment", 0.1, {**ASKED, "policy": Policy.REDIRECT_ONLY}, waits(SUMMARY_WAIT_S)),
    (
        "and goes on without it",
        SUMMARY_WAIT_S,
        {**ASKED, "policy": Policy.REDIRECT_ONLY},
        does(Act.REDIRECT),
    ),
    (
        "or as soon as it is there",
        0.3,
        {"summary_asked_at": NOON, "policy": Policy.REDIRECT_ONLY},
        does(Act.REDIRECT),
    ),
    ("a refused REFER leaves it the rest", 0.6, {**ASKED, **REFERRED, "refer_answer": Answer.REFUSED}, waits(1.5)),
    ("a missed deadline waits no more", 4, {**ASKED, **MISSED}, does(Act.REDIRECT)),
    ("a redirect under way asks nothing", 1, {**WANTED, **REDIRECTED, "redirect_answer": Answer.OK}, waits(2)),
    ("nor does a caller who was moved", 1, {**WANTED, "moved_at": NOON}, waits(HUMAN_WAIT_S)),
    ("a sent redirect is given time", 1, {**REDIRECTED, "redirect_answer": Answer.OK}, waits(FETCH_WAIT_S)),
    ("an unfetched one is looked into", 2, {**REDIRECTED, "redirect_answer": Answer.OK}, does(Act.LOOK_UP)),
    (
        "one that ended the AI's leg has taken effect and is waited for",
        2,
        {**REDIRECTED, "redirect_answer": Answer.OK, "ai_leg_over": True},
        waits(TAKEN_WAIT_S),
    ),
    (
        "but not for ever",
        TAKEN_WAIT_S,
        {**REDIRECTED, "redirect_answer": Answer.OK, "ai_leg_over": True},
        does(Act.LOOK_UP),
    ),
    ("a lost answer is looked into", 2, {**REDIRECTED, "redirect_answer": Answer.LOST}, does(Act.LOOK_UP)),
    ("a sender who died is given more time", 2, REDIRECTED, waits(LOST_PROCESS_S)),
    ("then it is looked into", LOST_PROCESS_S, REDIRECTED, does(Act.LOOK_UP)),
    (
        "an accepted one that stayed unfetched is repeated after the look",
        3,
        {**REDIRECTED, "redirect_answer": Answer.OK, "looked_up_at": at(2.5)},
        does(Act.REDIRECT),
    ),
    (
        "an older look does not count",
        3,
        {**REDIRECTED, "redirect_answer": Answer.LOST, "looked_up_at": at(-1)},
        does(Act.LOOK_UP),
    ),
    ("an AI leg that is still up says that the lost one failed", 6, {**LOOKED, "ai_leg_up": True}, does(Act.REDIRECT)),
    (
        "the last lost try that failed ends the AI's leg",
        6,
        {**LOOKED, "ai_leg_up": True, "redirect_tries": MAX_TRIES},
        does(Act.END_AI_LEG),
    ),
    ("while it is not known nothing is repeated", 5.5, LOOKED, waits(6)),
    ("but the carrier is asked again", 6, LOOKED, does(Act.LOOK_UP)),
    ("after two seconds the second time", 6, {**LOOKED, "look_ups": 2}, waits(7)),
    ("after four the third", 6, {**LOOKED, "look_ups": 3}, waits(9)),
    ("after eight the fourth", 6, {**LOOKED, "look_ups": 4}, waits(13)),
    ("and never later than the longest pause", 6, {**LOOKED, "look_ups": 9}, waits(5 + LONGEST_LOOK_PAUSE_S)),
    ("a last time at the limit", 55, {**LOOKED, "look_ups": 6, "looked_up_at": at(50)}, waits(DOUBT_LIMIT_S)),
    ("then it settles as unknown", DOUBT_LIMIT_S, {**LOOKED, "look_ups": 7}, does(Act.GIVE_UP)),
    ("a sender who died leaves the same doubt", 5.5, {**LOOKED, "redirect_answer": Answer.NONE}, waits(6)),
    ("a document that is fetched ends the doubt", 6, {**LOOKED, "moved_at": at(5)}, waits(5 + HUMAN_WAIT_S)),
    ("a busy carrier is given a moment", 0.1, {**REDIRECTED, "redirect_answer": Answer.BUSY}, waits(RETRY_WAIT_S)),
    ("which grows", 0.6, {**BUSY, "redirect_tries": 2}, waits(2 * RETRY_WAIT_S)),
    ("and is spread", 0.1, {**BUSY, "jitter": 0.5}, waits(1.25 * RETRY_WAIT_S)),
    ("and lasts as long as it asked for", 0.6, {**BUSY, "retry_after_s": 1.0}, waits(1)),
    ("or a little longer", 1.2, {**BUSY, "retry_after_s": 1.0, "jitter": 0.8}, waits(1.4)),
    ("but not too long for the caller", 0.6, {**BUSY, "retry_after_s": 30.0}, waits(MOST_RETRY_WAIT_S)),
    ("and asked again", 0.5, {**REDIRECTED, "redirect_answer": Answer.BUSY}, does(Act.REDIRECT)),
    (
        "after the last try the AI's leg is ended",
        0.5,
        {**REDIRECTED, "redirect_answer": Answer.BUSY, "redirect_tries": MAX_TRIES},
        does(Act.END_AI_LEG),
    ),
    (
        "a refused redirect ends the AI's leg",
        1,
        {**REDIRECTED, "redirect_answer": Answer.REFUSED},
        does(Act.END_AI_LEG),
    ),
    (
        "the action has time to come",
        2,
        {**REDIRECTED, "redirect_answer": Answer.REFUSED, "ai_leg_ended_at": at(1), "ai_leg_answered": True},
        waits(1 + ACTION_WAIT_S),
    ),
    (
        "when it does not come nothing is left",
        7,
        {**REDIRECTED, "redirect_answer": Answer.REFUSED, "ai_leg_ended_at": at(1), "ai_leg_answered": True},
        does(Act.GIVE_UP),
    ),
    (
        "bug: a process that died before it ended the AI's leg is stood in for",
        1 + LOST_PROCESS_S,
        {**REDIRECTED, "redirect_answer": Answer.REFUSED, "ai_leg_ended_at": at(1)},
        does(Act.END_AI_LEG),
    ),
    (
        "but not while it may still be at it",
        2,
        {**REDIRECTED, "redirect_answer": Answer.REFUSED, "ai_leg_ended_at": at(1)},
        waits(1 + LOST_PROCESS_S),
    ),
    ("a moved caller waits for the human", 5, {"moved_at": at(1)}, waits(1 + HUMAN_WAIT_S)),
    ("an ignored REFER is followed at once", 1, {**REFERRED, "refer_refused": True}, does(Act.REDIRECT)),
    ("a human is not waited for for ever", 1 + HUMAN_WAIT_S, {"moved_at": at(1)}, does(Act.GIVE_UP)),
    (
        "a refused REFER is the end where only a REFER may be",
        1,
        {**REFERRED, "refer_refused": True, "policy": Policy.REFER_ONLY},
        does(Act.GIVE_UP),
    ),
    ("a trunk's REFER has a second before its child is looked for", 0.5, TRUNK, waits(1)),
    ("a trunk's child is looked for", 1, TRUNK, does(Act.LOOK_FOR_CHILD)),
    ("after one second, after two", 1.5, {**TRUNK, "looked_up_at": at(1)}, waits(2)),
    ("after two seconds, after four", 2.1, {**TRUNK, "looked_up_at": at(2.1)}, waits(4)),
    ("at the deadline it is looked for once more", 4, {**TRUNK, "looked_up_at": at(2)}, does(Act.LOOK_FOR_CHILD)),
    ("before the deadline is missed", 4.1, {**TRUNK, "looked_up_at": at(4.1)}, does(Act.MISS_DEADLINE)),
    (
        "a look that was slow skips none it has not made",
        3,
        {**TRUNK, "looked_up_at": at(1.9)},
        does(Act.LOOK_FOR_CHILD),
    ),
    ("a deadline between two looks", 1.2, {**TRUNK, "refer_deadline_at": at(1.5), "looked_up_at": at(1)}, waits(1.5)),
    ("after four seconds, after eight", 5, {**TRUNK, "refer_deadline_at": at(20), "looked_up_at": at(4)}, waits(8)),
    ("then every two", 8.5, {**TRUNK, "refer_deadline_at": at(20), "looked_up_at": at(8)}, waits(10)),
    (
        "a moved trunk call is looked at until the human is there",
        9,
        {"policy": Policy.REFER_ONLY, "steerable": False, "moved_at": at(3), "looked_up_at": at(3)},
        does(Act.LOOK_FOR_CHILD),
    ),
]


@pytest.mark.parametrize(("seconds", "seen", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_next_step(seconds: float, seen: dict[str, Any], expected: tuple[Act, datetime | None]) -> None:
    taken = step(seconds, **seen)

    assert (taken.act, taken.until) == expected


def test_giving_up_says_why() -> None:
    assert "REFER" in step(4, **MISSED, policy=Policy.REFER_ONLY).why
    assert "human" in step(100, moved_at=NOON).why
    assert "took effect" in step(DOUBT_LIMIT_S, **LOOKED).why


def test_the_whole_watch_over_a_silent_refer_of_a_trunk() -> None:
    looks: list[datetime] = []
    while (following := look_for_child_at(NOON, looks[-1] if looks else None)) is not None:
        looks.append(following)

    seconds = [(look - NOON).total_seconds() for look in looks]
    assert seconds == [1, 2, 4, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]
    assert seconds[:4] == list(CHILD_LOOKS_S)
    assert seconds[-1] == TRUNK_WAIT_S


@pytest.mark.parametrize(
    ("seen", "now", "due"),
    [
        (None, 1.5, 2),
        (None, 4, 8),
        (None, 8, 10),
        (None, 29, None),
        (9, 9, 9 + CHILD_POLL_S),
        (9, 40, 40 + CHILD_POLL_S),
        (9, 9 + HUMAN_WAIT_S, None),
    ],
)
def test_a_settled_trunk_transfer_is_watched_for_a_late_child_and_then_for_its_answer(
    seen: float | None, now: float, due: float | None
) -> None:
    seen_at = None if seen is None else at(seen)

    assert watch_trunk_at(NOON, seen_at, at(now)) == (None if due is None else at(due))


moments = st.none() | st.floats(0, 60).map(at)
situations = st.builds(
    Situation,
    now=st.floats(0, 90).map(at),
    policy=st.sampled_from(Policy),
    steerable=st.booleans(),
    redirect_first=st.booleans(),
    refer_asked_at=moments,
    refer_answer=st.sampled_from(Answer),
    refer_deadline_at=moments,
    refer_seen=st.booleans(),
    refer_refused=st.booleans(),
    deadline_passed=st.booleans(),
    redirect_asked_at=moments,
    redirect_answer=st.sampled_from(Answer),
    redirect_tries=st.integers(0, 5),
    retry_after_s=st.none() | st.floats(0, 1e9),
    jitter=st.floats(0, 1, exclude_max=True),
    looked_up_at=moments,
    look_ups=st.integers(0, 9),
    ai_leg_up=st.booleans(),
    ai_leg_over=st.booleans(),
    ai_leg_ended_at=moments,
    summary_wanted=st.booleans(),
    summary_asked_at=moments,
    ai_leg_answered=st.booleans(),
    moved_at=moments,
)


@given(situations)
def test_every_situation_has_a_step_and_every_wait_an_end_in_the_future(seen: Situation) -> None:
    taken = next_step(seen)

    assert taken.act in Act
    if taken.act == Act.WAIT:
        assert taken.until is not None
        assert taken.until > seen.now


@given(situations)
def test_whoever_was_moved_is_not_moved_again(seen: Situation) -> None:
    if seen.moved_at is not None:
        assert next_step(seen).act not in (Act.REFER, Act.REDIRECT, Act.END_AI_LEG)


@given(situations)
def test_nobody_is_redirected_who_may_not_or_cannot_be(seen: Situation) -> None:
    if seen.policy == Policy.REFER_ONLY or not seen.steerable:
        assert next_step(seen).act not in (Act.REDIRECT, Act.END_AI_LEG, Act.LOOK_UP)


@given(situations)
def test_a_refer_is_asked_for_once_and_never_where_only_a_redirect_is_wanted(seen: Situation) -> None:
    if seen.refer_asked_at is not None or seen.policy == Policy.REDIRECT_ONLY or seen.redirect_tries:
        assert next_step(seen).act != Act.REFER


@given(situations)
def test_no_refer_goes_where_the_redirect_goes_first(seen: Situation) -> None:
    if seen.redirect_first and seen.steerable and seen.policy == Policy.REFER_THEN_REDIRECT:
        assert next_step(seen).act not in (Act.REFER, Act.MISS_DEADLINE)


@given(situations)
def test_a_summary_never_holds_a_caller_longer_than_its_moment(seen: Situation) -> None:
    asked_at = seen.summary_asked_at
    if asked_at is not None:
        without = next_step(replace(seen, summary_wanted=False, summary_asked_at=None))
        assert next_step(seen) in (without, Step(Act.WAIT, asked_at + timedelta(seconds=SUMMARY_WAIT_S)))


@given(situations)
def test_a_redirect_is_not_repeated_for_ever(seen: Situation) -> None:
    if seen.redirect_tries >= MAX_TRIES and seen.redirect_asked_at is not None:
        assert next_step(seen).act != Act.REDIRECT


@given(situations)
def test_bug_a_redirect_that_may_have_taken_effect_is_not_repeated(seen: Situation) -> None:
    in_doubt = (
        seen.redirect_answer in (Answer.LOST, Answer.NONE) and not seen.ai_leg_up and seen.ai_leg_ended_at is None
    )

    if in_doubt and seen.redirect_tries > 0 and seen.redirect_asked_at is not None:
        assert next_step(seen).act not in (Act.REDIRECT, Act.END_AI_LEG)


@given(st.integers(1, MAX_TRIES - 1), st.none() | st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_a_waiting_caller_is_kept_no_longer_than_two_seconds_between_two_tries(
    tries: int, retry_after_s: float | None, own: float
) -> None:
    taken = step(0.0, **{**BUSY, "redirect_tries": tries, "retry_after_s": retry_after_s, "jitter": own})

    assert taken.act == Act.WAIT
    assert at(0) < taken.until <= at(MOST_RETRY_WAIT_S)


@given(st.text(max_size=26), st.integers(0, 9))
def test_the_jitter_of_one_try_is_always_the_same(attempt_id: str, tries: int) -> None:
    assert 0 <= jitter(attempt_id, tries) == jitter(attempt_id, tries) < 1


def test_transfers_refused_together_do_not_come_back_together() -> None:
    spread = {round(jitter(f"01J{number:023}", 1), 1) for number in range(100)}

    assert len(spread) > 8
