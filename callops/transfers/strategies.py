"""What to do next about an open transfer. Pure: a picture of the attempt in, one step out (design.md section 4).

Rules of contract Twilio 3.3: redirect first and hang the AI up never; after a lost answer look before repeating; when
redirects keep failing end the AI's leg and let the dial's `action` take the caller on.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callops.calls.words import Policy

MAX_TRIES = 3
FETCH_WAIT_S = 2.0
TAKEN_WAIT_S = 8.0
RETRY_WAIT_S = 0.5
MOST_RETRY_WAIT_S = 2.0
LOST_PROCESS_S = 6.0
ACTION_WAIT_S = 6.0
HUMAN_WAIT_S = 45.0
SUMMARY_WAIT_S = 1.5
CHILD_LOOKS_S = (1.0, 2.0, 4.0, 8.0)
"""When a trunk's child call is looked for, after its REFER was asked (contract Twilio 5)."""
LATE_LOOK_S = 2.0
"""How often it is looked for after those, until `TRUNK_WAIT_S`."""
TRUNK_WAIT_S = 30.0
CHILD_POLL_S = 1.0
"""How often a child that was found is asked about until it is answered or over."""
DOUBT_LIMIT_S = 60.0
LONGEST_LOOK_PAUSE_S = 16.0


class Act(StrEnum):
    ASK_SUMMARY = "ask_summary"
    REFER = "refer"
    REDIRECT = "redirect"
    MISS_DEADLINE = "miss_deadline"
    LOOK_UP = "look_up"
    END_AI_LEG = "end_ai_leg"
    LOOK_FOR_CHILD = "look_for_child"
    GIVE_UP = "give_up"
    WAIT = "wait"


class Answer(StrEnum):
    """How the last HTTP request of one mechanism ended."""

    NONE = ""
    OK = "ok"
    REFUSED = "refused"
    BUSY = "busy"
    """429 or 5xx: not applied, worth a retry."""
    LOST = "lost"
    """No answer: unknown whether it took effect."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act, or a wait until a time; `why` is said when an act gives up."""

    act: Act
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that the next step depends on."""

    now: datetime
    policy: Policy
    steerable: bool
    """False on a trunk: the carrier cannot be asked to move the caller (contract Twilio 4)."""
    redirect_first: bool = False
    """REFER was known to be sick when the transfer was asked for: the redirect goes, and no REFER before it."""
    refer_asked_at: datetime | None = None
    refer_answer: Answer = Answer.NONE
    refer_deadline_at: datetime | None = None
    refer_seen: bool = False
    refer_refused: bool = False
    """The carrier said that the REFER arrived and was ignored or refused (contract Twilio 5)."""
    deadline_passed: bool = False
    redirect_asked_at: datetime | None = None
    redirect_answer: Answer = Answer.NONE
    redirect_tries: int = 0
    retry_after_s: float | None = None
    """What the carrier asked for when it refused the last redirect for being busy."""
    jitter: float = 0.0
    """From 0 to 1: this try's own, so that transfers refused together do not come back together."""
    looked_up_at: datetime | None = None
    look_ups: int = 0
    """How often the carrier was asked since the last redirect."""
    ai_leg_up: bool = False
    """The last time, the carrier said that the AI's leg is up: that redirect did not take effect (contract 3.2)."""
    ai_leg_over: bool = False
    """The carrier said that the AI's leg has ended: a redirect that was sent has taken effect, or `action` holds the
    caller for it (contract Twilio 3.2, 3.3)."""
    ai_leg_ended_at: datetime | None = None
    summary_wanted: bool = False
    """A screened person has nothing to go by yet, and the AI is there to be asked for a sentence."""
    summary_asked_at: datetime | None = None
    ai_leg_answered: bool = False
    """Whoever was to end the AI's leg wrote down what came of it; if not, that process is gone."""
    moved_at: datetime | None = None
    """When the carrier last fetched the document, reported the REFER, or told of a human it is dialling since."""


def jitter(attempt_id: str, tries: int) -> float:
    """From 0 to 1 (excluded), scattered over attempts and tries, and always the same for one of them."""
    return zlib.crc32(f"{attempt_id}:{tries}".encode()) / 2**32


def next_step(seen: Situation) -> Step:
    """The one thing to do now."""
    if seen.moved_at is not None:
        return _wait_for_human(seen, seen.moved_at)
    if seen.summary_wanted and seen.summary_asked_at is None and seen.redirect_tries == 0:
        return Step(Act.ASK_SUMMARY)
    if _refer_comes_first(seen) and (step := _refer_step(seen)) is not None:
        return step
    if not seen.steerable or seen.policy == Policy.REFER_ONLY:
        return _after_unseen_refer(seen)
    return _redirect_step(seen)


def _refer_comes_first(seen: Situation) -> bool:
    switched = seen.redirect_first and seen.steerable and seen.policy == Policy.REFER_THEN_REDIRECT
    return seen.policy != Policy.REDIRECT_ONLY and not switched and seen.redirect_tries == 0


def _refer_step(seen: Situation) -> Step | None:
    """REFER, or wait for its witness; None when the REFER is known not to have done it."""
    if seen.refer_asked_at is None:
        return Step(Act.REFER)
    if seen.refer_answer == Answer.REFUSED or seen.refer_refused or seen.deadline_passed:
        return None
    if seen.refer_deadline_at is None:
        return Step(Act.MISS_DEADLINE)
    look_at = None if seen.steerable else look_for_child_at(seen.refer_asked_at, seen.looked_up_at)
    due = min(look_at or seen.refer_deadline_at, seen.refer_deadline_at)
    if seen.now < due:
        return Step(Act.WAIT, due)
    return Step(Act.LOOK_FOR_CHILD) if due == look_at else Step(Act.MISS_DEADLINE)


def look_for_child_at(asked_at: datetime, looked_at: datetime | None) -> datetime | None:
    """When the child of a trunk's REFER is looked for after the last look; None when it has been looked for enough.

    On a trunk the only witness is a child call, which nobody reports (contract Twilio 4).
    """
    looked_s = (looked_at - asked_at).total_seconds() if looked_at else 0.0
    following = next((after_s for after_s in CHILD_LOOKS_S if after_s > looked_s), looked_s + LATE_LOOK_S)
    return _after(asked_at, following) if following <= TRUNK_WAIT_S else None


def watch_trunk_at(asked_at: datetime, seen_at: datetime | None, now: datetime) -> datetime | None:
    """When a trunk's REFER that settled as unknown is looked into again: for a late child, then for its answer."""
    if seen_at is None:
        return look_for_child_at(asked_at, now)
    return _after(now, CHILD_POLL_S) if now < _after(seen_at, HUMAN_WAIT_S) else None


def _after_unseen_refer(seen: Situation) -> Step:
    return Step(Act.GIVE_UP, why="The REFER did not go out, and nothing else may move this caller.")


def _redirect_step(seen: Situation) -> Step:
    if seen.redirect_tries == 0 or seen.redirect_asked_at is None:
        return _first_redirect(seen)
    if seen.ai_leg_ended_at is not None:
        give_up = Step(Act.GIVE_UP, why="Neither a redirect nor the end of the AI's leg moved the caller.")
        wait_s = ACTION_WAIT_S if seen.ai_leg_answered else LOST_PROCESS_S
        return _wait_or(
            seen, _after(seen.ai_leg_ended_at, wait_s), give_up if seen.ai_leg_answered else Step(Act.END_AI_LEG)
        )
    if seen.redirect_answer in (Answer.NONE, Answer.LOST):
        return _settle_doubt(seen, seen.redirect_asked_at)
    if seen.redirect_answer == Answer.OK:
        patience_s = TAKEN_WAIT_S if seen.ai_leg_over else FETCH_WAIT_S
        return _wait_or(seen, _after(seen.redirect_asked_at, patience_s), _look_or_repeat(seen))
    if seen.redirect_answer == Answer.REFUSED or seen.redirect_tries >= MAX_TRIES:
        return Step(Act.END_AI_LEG)
    return _wait_or(seen, _after(seen.redirect_asked_at, _retry_wait_s(seen)), Step(Act.REDIRECT))


def _retry_wait_s(seen: Situation) -> float:
    """As long as the carrier's `Retry-After` says, spread by up to half; but the caller is waiting (Twilio 3.6)."""
    least_s = max(RETRY_WAIT_S * seen.redirect_tries, seen.retry_after_s or 0.0)
    return min(least_s * (1 + seen.jitter / 2), MOST_RETRY_WAIT_S)


def _settle_doubt(seen: Situation, asked_at: datetime) -> Step:
    """After a lost answer the carrier is asked, with growing pauses, until it is known whether the caller was moved.

    Only when the carrier says that the AI's leg is still up is anything repeated (law 3).
    """
    if seen.look_ups == 0:
        patience_s = LOST_PROCESS_S if seen.redirect_answer == Answer.NONE else FETCH_WAIT_S
        return _wait_or(seen, _after(asked_at, patience_s), Step(Act.LOOK_UP))
    if seen.ai_leg_up:
        return Step(Act.REDIRECT) if seen.redirect_tries < MAX_TRIES else Step(Act.END_AI_LEG)
    limit = _after(asked_at, DOUBT_LIMIT_S)
    if seen.now >= limit:
        return Step(Act.GIVE_UP, why=f"Twilio could not tell in {DOUBT_LIMIT_S:.0f} s whether it took effect.")
    pause_s = min(2.0 ** (seen.look_ups - 1), LONGEST_LOOK_PAUSE_S)
    return _wait_or(seen, min(_after(seen.looked_up_at or asked_at, pause_s), limit), Step(Act.LOOK_UP))


def _first_redirect(seen: Situation) -> Step:
    """A redirect ends the AI's session, so a summary that was asked for gets its moment; a REFER waits for nothing."""
    if not seen.summary_wanted or seen.summary_asked_at is None:
        return Step(Act.REDIRECT)
    return _wait_or(seen, _after(seen.summary_asked_at, SUMMARY_WAIT_S), Step(Act.REDIRECT))


def _look_or_repeat(seen: Situation) -> Step:
    """Ask the carrier before repeating what may have taken effect (law 3)."""
    looked = seen.looked_up_at is not None and seen.redirect_asked_at is not None
    if not (looked and seen.looked_up_at > seen.redirect_asked_at):  # type: ignore[operator]
        return Step(Act.LOOK_UP)
    return Step(Act.REDIRECT) if seen.redirect_tries < MAX_TRIES else Step(Act.END_AI_LEG)


def _wait_for_human(seen: Situation, moved_at: datetime) -> Step:
    due = _after(moved_at, HUMAN_WAIT_S)
    if not seen.steerable:
        poll = _after(seen.looked_up_at or moved_at, CHILD_POLL_S)
        if seen.now < due:
            return Step(Act.LOOK_FOR_CHILD) if seen.now >= poll else Step(Act.WAIT, min(poll, due))
    return _wait_or(seen, due, Step(Act.GIVE_UP, why="The carrier never said how the human's dial ended."))


def _wait_or(seen: Situation, due: datetime, step: Step) -> Step:
    return step if seen.now >= due else Step(Act.WAIT, due)


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
