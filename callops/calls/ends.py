"""Who ended a call, on what evidence, and who was cut off in mid-sentence. Pure; `unknown` is an answer.

What the carrier tells of one end comes in any order within about a second (contract Twilio 7), and an end that was
found by asking may be older than the answer. So the order of legs counts only where it is plain; better are the words
the carrier spends on it: the dial's `action` says whether the caller was still on the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from callops.calls.lifecycle import OVER
from callops.calls.words import EndedBy, LegStatus, Role

PLAINLY = timedelta(seconds=2)
"""Ends of legs closer to each other than this have no order."""
TOGETHER = timedelta(seconds=5)
"""A sideband that dropped so close to the end of a leg dropped because of it."""
WHOSE = {Role.CALLER: "the caller's leg", Role.AI: "the AI's leg", Role.HUMAN: "the human's leg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnd:
    """One leg as the carrier last told it."""

    role: Role
    status: LegStatus
    ended_at: datetime | None = None
    sip_code: int | None = None
    found_over: bool = False
    """Its end was found by asking; `ended_at` is when we asked."""

    @property
    def told_at(self) -> datetime | None:
        """When the carrier told of the end by itself."""
        return None if self.found_over else self.ended_at


@dataclass(frozen=True, slots=True)
class Talk:
    """Who was speaking when the AI's sideband dropped for the last time."""

    until: datetime
    caller_speaking: bool
    assistant_speaking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFacts:
    """All that the judgement depends on."""

    legs: tuple[LegEnd, ...] = ()
    wish: str = ""
    caller_left_at: datetime | None = None
    """The carrier said that the caller was no longer on the line."""
    ai_left_at: datetime | None = None
    """The carrier said that the AI's leg was over while the caller was still on the line; nobody had wished it."""
    close_reason: str = ""
    talk: Talk | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Who ended the call, the sentence that says why we think so, and who was cut off."""

    by: EndedBy
    why: str
    caller_mid_sentence: bool = False
    assistant_mid_sentence: bool = False


def judge(facts: EndFacts) -> End:
    """The end of a call that is over; the same for every order of its legs."""
    by = who(facts)
    moment = _moment(by, facts)
    at_end = _speech(facts.talk) if _is_together(facts, moment) else ""
    before = ""
    if facts.ai_left_at and by != EndedBy.ASSISTANT:
        then = "" if at_end or not _is_together(facts, facts.ai_left_at) else _speech(facts.talk)
        before = f" Before that, at {_clock(facts.ai_left_at)}, the assistant's leg had ended by itself{then}."
    cut = facts.talk if at_end or (before and _is_together(facts, facts.ai_left_at)) else None
    return End(
        by=by,
        why=f"{_because(by, facts, moment)}{at_end}.{before}",
        caller_mid_sentence=bool(cut and cut.caller_speaking),
        assistant_mid_sentence=bool(cut and cut.assistant_speaking),
    )


def who(facts: EndFacts) -> EndedBy:
    """Who ended the call: a decision counts most, then the carrier's word, then a plain order of the legs' ends."""
    if facts.wish:
        return EndedBy(facts.wish)
    if facts.caller_left_at:
        return EndedBy.CALLER
    if _failed(facts.legs):
        return EndedBy.CARRIER
    if facts.ai_left_at and not any(_is_human_who_talked(leg) for leg in facts.legs):
        return EndedBy.ASSISTANT
    return _by_order(facts.legs)


def _by_order(legs: Iterable[LegEnd]) -> EndedBy:
    """The caller's leg or the last human's, whichever plainly ended first. An AI's leg that ends first tells nothing
    by itself: a transfer ends it too."""
    callers, others = _ends(legs, caller=True), _ends(legs, caller=False)
    if not callers or not others:
        return EndedBy.UNKNOWN
    caller, other = callers[-1], others[-1]
    if _at(caller) + PLAINLY <= _at(other):
        return EndedBy.CALLER
    last_heard = caller.told_at is not None and _at(other) + PLAINLY <= _at(caller)
    return EndedBy.HUMAN if last_heard and _is_human_who_talked(other) else EndedBy.UNKNOWN


def _because(by: EndedBy, facts: EndFacts, moment: datetime | None) -> str:
    """The sentence, without what was being said and without its full stop."""
    at = f", at {_clock(moment)}" if moment else ""
    if facts.wish == EndedBy.OPERATOR:
        return "An operator asked to hang up"
    if facts.wish == EndedBy.ASSISTANT:
        return "The assistant asked to end the call"
    if by == EndedBy.HUMAN:
        return f"The human hung up first{at}"
    if by == EndedBy.CALLER:
        return f"The caller's leg ended first{at}"
    if by == EndedBy.ASSISTANT:
        return f"The assistant's leg ended first and by itself{at}, with the caller still on the line"
    failed = _failed(facts.legs)
    if by == EndedBy.CARRIER and failed:
        code = f" with SIP {failed.sip_code}" if failed.sip_code else ""
        return f"Twilio reported {WHOSE[failed.role]} as failed{code}, and nothing else explains the end"
    return _unknown(facts)


def _unknown(facts: EndFacts) -> str:
    callers = _ends(facts.legs, caller=True)
    if callers:
        how = "Twilio said when asked" if callers[-1].found_over else "Twilio said"
        return f"{how} at {_clock(_at(callers[-1]))} that the caller's leg is over; nothing tells who ended it"
    reason = f" ({facts.close_reason.rstrip('.')})" if facts.close_reason else ""
    return f"The assistant's session is over{reason}; no leg of the carrier tells who ended the call"


def _moment(by: EndedBy, facts: EndFacts) -> datetime | None:
    """When whoever ended the call did; None when nobody told it."""
    callers, humans = _ends(facts.legs, caller=True), [leg for leg in facts.legs if _is_human_who_talked(leg)]
    if by == EndedBy.ASSISTANT and not facts.wish:
        return facts.ai_left_at
    if by == EndedBy.HUMAN:
        return max((leg.told_at for leg in humans if leg.told_at), default=None)
    return facts.caller_left_at or (callers[-1].told_at if callers else None)


def _is_together(facts: EndFacts, moment: datetime | None) -> bool:
    """Whether the talk with the AI broke off at this moment; unknown moments count unless a human talked since."""
    if facts.talk is None:
        return False
    if moment is None:
        return not any(_is_human_who_talked(leg) for leg in facts.legs) and facts.ai_left_at is None
    return abs(facts.talk.until - moment) <= TOGETHER


def _speech(talk: Talk | None) -> str:
    if talk is None or not (talk.caller_speaking or talk.assistant_speaking):
        return ""
    if talk.caller_speaking and talk.assistant_speaking:
        return "; the caller was in mid-sentence, and the assistant was speaking"
    return "; the caller was in mid-sentence" if talk.caller_speaking else "; the assistant was speaking"


def _failed(legs: Iterable[LegEnd]) -> LegEnd | None:
    """A leg that failed, the caller's before others."""
    failed = [leg for leg in legs if leg.status == LegStatus.FAILED]
    return min(failed, key=lambda leg: (leg.role != Role.CALLER, leg.role, leg.sip_code or 0), default=None)


def _ends(legs: Iterable[LegEnd], *, caller: bool) -> list[LegEnd]:
    """The legs of this side whose end is known, in the order in which they ended; empty while one of them is up."""
    side = [leg for leg in legs if (leg.role == Role.CALLER) == caller]
    if any(leg.ended_at is None or leg.status not in OVER for leg in side):
        return []
    return sorted(side, key=lambda leg: (_at(leg), leg.role, leg.status))


def _at(leg: LegEnd) -> datetime:
    return leg.ended_at or datetime.max.replace(tzinfo=UTC)


def _is_human_who_talked(leg: LegEnd) -> bool:
    return leg.role == Role.HUMAN and leg.status in (LegStatus.IN_PROGRESS, LegStatus.COMPLETED)


def _clock(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}.{utc.microsecond // 100_000}"
