"""Where a call died on its way to the AI: one stage, and the fact that decided it. Pure (contract OpenAI 5.2).

The facts are read in the order they became known. A deadline is only a guess until something better is known: a
webhook that comes after all takes it back, a SIP refusal explains it. What a call once heard from the AI ends the
search: later trouble is not a call that never reached it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callops.calls.kinds import Kind
from callops.calls.lifecycle import OVER
from callops.calls.words import FailureStage, LegStatus, Role

CANCELLED_BY_US = 487
SID_HEADER = "x-twilio-callsid"
NOT_FOUND = 404
CONFLICT = 409
"""Somebody accepted before: no refusal (contract OpenAI 3.3)."""
ONE_END = timedelta(seconds=2)
"""How far apart the facts of one end may be."""
OURS = frozenset({"unfit", "no_line"})
"""Why an accept was held back by our own fault; other reasons are about the caller or the clock."""

READ = frozenset(
    {
        Kind.US_DIALLED_AI,
        Kind.OPERATOR_HANGUP,
        Kind.OPENAI_WEBHOOK,
        Kind.US_ACCEPT_ASKED,
        Kind.US_ACCEPT_HELD_BACK,
        Kind.OPENAI_ACCEPT_ANSWERED,
        Kind.OPENAI_ACCEPT_UNANSWERED,
        Kind.OPENAI_SIDEBAND_OPEN,
        Kind.OPENAI_SIDEBAND_REFUSED,
        Kind.OPENAI_GHOST,
        Kind.CARRIER_DIAL_ENDED,
        Kind.CARRIER_RECOVERY,
        Kind.CARRIER_LEG,
        Kind.CARRIER_LOOKED_UP,
        Kind.CLOCK_WEBHOOK_MISSING,
    }
)
"""The kinds of events that say anything about it."""
TELLING = READ - {Kind.US_DIALLED_AI, Kind.OPERATOR_HANGUP, Kind.US_ACCEPT_ASKED}
"""The kinds upon which the stage may change."""


@dataclass(frozen=True, slots=True)
class StageFact:
    """One event, as far as the judgement goes."""

    seq: int
    at: datetime
    kind: Kind
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The stage and the number of the event that decided it."""

    stage: FailureStage
    seq: int


@dataclass(slots=True)
class _Invite:
    """What is known of the AI's side since the last dial failed."""

    expected: bool = False
    announced: bool = False
    asked: bool = False
    has_stand_in: bool = False
    """The document rings the fallback itself when the AI fails."""
    legs: set[str] = field(default_factory=set)
    """The AI's legs that webhooks named."""

    def is_of_another_leg(self, fact: StageFact) -> bool:
        """Whether the fact is about a leg that no webhook named, though webhooks named others: another try.

        An INVITE that names the caller's leg tells the tries not apart (contract Twilio 2.5: not known for sure).
        """
        if fact.kind != Kind.CARRIER_LEG or not self.legs or "sid" not in fact.body:
            return False
        parent = (fact.body.get("params") or {}).get("ParentCallSid")
        return self.legs.isdisjoint({fact.body["sid"], parent})


def classify(facts: Iterable[StageFact]) -> Diagnosis | None:
    """The one stage at which the call failed before any voice; None when it did not, or nothing is known yet.

    The same for every order in which the facts are given: they are read by their number on the timeline.
    """
    ordered = sorted({fact.seq: fact for fact in facts}.values(), key=lambda fact: fact.seq)
    found = _first(ordered)
    left = found is not None and found.stage == FailureStage.CALLER_LEFT
    return None if left and any(_is_an_answer(fact) for fact in ordered) else found


def _first(ordered: Sequence[StageFact]) -> Diagnosis | None:
    invite, guess = _Invite(), None
    for fact in ordered:
        if fact.kind == Kind.OPENAI_SIDEBAND_OPEN:
            return None
        if fact.kind == Kind.OPERATOR_HANGUP:
            return guess
        if _is_a_guess(fact, invite):
            guess = guess or Diagnosis(FailureStage.WEBHOOK_MISSING, fact.seq)
        elif (stage := _stage(fact, invite)) is not None:
            found = _final(Diagnosis(stage, fact.seq), guess)
            return found if _is_the_ais_dial_end(fact) else _explained(found, invite, fact, ordered)
        guess = None if _note(fact, invite) else guess
    return guess


def _is_a_guess(fact: StageFact, invite: _Invite) -> bool:
    """Without a webhook: the deadline passed, or the dial came to its fallback, of which nothing tells why."""
    if invite.announced:
        return False
    if fact.kind == Kind.CLOCK_WEBHOOK_MISSING:
        return True
    if fact.kind != Kind.CARRIER_DIAL_ENDED or _is_the_ais_dial_end(fact):
        return False
    if fact.body.get("dial_status") in ("completed", "answered"):
        return invite.has_stand_in and fact.body.get("bridged") is not False
    return fact.body.get("caller_on_line") is not False


def _is_the_ais_dial_end(fact: StageFact) -> bool:
    """The dial's last leg was a SIP leg: its end tells of the AI, else of the fallback (contract Twilio 2.2)."""
    if fact.kind != Kind.CARRIER_DIAL_ENDED:
        return False
    return "DialSipCallId" in (fact.body.get("params") or {}) or _refusal(fact.body) is not None


def _final(found: Diagnosis, guess: Diagnosis | None) -> Diagnosis:
    """A caller who leaves after the deadline leaves because of it; a later end of the dial only confirms it."""
    later = found.stage in (FailureStage.CALLER_LEFT, FailureStage.WEBHOOK_MISSING)
    return guess if guess is not None and later else found


def _explained(found: Diagnosis, invite: _Invite, last: StageFact, ordered: Sequence[StageFact]) -> Diagnosis:
    """That the AI's leg had been refused may be heard last, after the caller's own end (contract Twilio 7)."""
    if last.kind == Kind.OPENAI_ACCEPT_ANSWERED and _code(last.body, "status") == NOT_FOUND:
        return _gone_with_the_caller(found, last, ordered)
    if found.stage not in (FailureStage.CALLER_LEFT, FailureStage.WEBHOOK_MISSING):
        return found
    refused = next((fact for fact in ordered if fact.seq > last.seq and _is_refused_leg(fact)), None)
    return found if refused is None else Diagnosis(_dial_stage(refused.body, invite), refused.seq)


def _gone_with_the_caller(found: Diagnosis, last: StageFact, ordered: Sequence[StageFact]) -> Diagnosis:
    """A call that OpenAI no longer knows may be one whose caller just left: the carrier says so next, or not at all.

    Contract OpenAI 1.5; the facts of one end arrive within a second or two (contract Twilio 7).
    """
    for fact in ordered:
        if fact.seq > last.seq and fact.at - last.at <= ONE_END:
            if _says_the_caller_left(fact):
                return Diagnosis(FailureStage.CALLER_LEFT, fact.seq)
            if _is_failed_dial(fact):
                return found
    return found


def _note(fact: StageFact, invite: _Invite) -> bool:
    """Remember how far the AI's side came; True when a webhook that was missed came after all."""
    if fact.kind == Kind.OPENAI_WEBHOOK:
        invite.announced = invite.expected = True
        invite.legs |= _leg_named(fact.body)
        return True
    if fact.kind == Kind.US_DIALLED_AI:
        invite.expected, invite.has_stand_in = True, bool(fact.body.get("then"))
    if fact.kind in (Kind.US_ACCEPT_ASKED, Kind.OPENAI_ACCEPT_ANSWERED, Kind.OPENAI_ACCEPT_UNANSWERED):
        invite.asked = True
    return False


def _stage(fact: StageFact, invite: _Invite) -> FailureStage | None:
    """The stage this fact settles, given what came before it."""
    body = fact.body
    if fact.kind == Kind.US_ACCEPT_HELD_BACK:
        return FailureStage.OUR_FAULT if body.get("cause") in OURS else None
    if fact.kind == Kind.OPENAI_ACCEPT_ANSWERED:
        status = _code(body, "status")
        return FailureStage.ACCEPT_REFUSED if status >= 400 and status != CONFLICT else None
    if fact.kind == Kind.OPENAI_SIDEBAND_REFUSED:
        return None if body.get("caller_gone") else FailureStage.ACCEPTED_BUT_DEAD
    if fact.kind == Kind.OPENAI_GHOST or _says_the_caller_left(fact):
        return FailureStage.CALLER_LEFT if invite.expected else None
    if fact.kind == Kind.CARRIER_RECOVERY and not invite.announced:
        return FailureStage.SIP_REJECTED
    if not _is_failed_dial(fact):
        return None
    return _dial_stage(body, _Invite() if invite.is_of_another_leg(fact) else invite)


def _is_an_answer(fact: StageFact) -> bool:
    """The AI's leg was answered, so the caller may have heard it, whether or not we could listen."""
    if fact.kind == Kind.CARRIER_DIAL_ENDED:
        return fact.body.get("bridged") is True
    answered = (LegStatus.IN_PROGRESS, LegStatus.COMPLETED)
    return fact.kind == Kind.CARRIER_LEG and fact.body.get("role") == Role.AI and fact.body.get("status") in answered


def _leg_named(body: Mapping[str, Any]) -> set[str]:
    """The leg that the INVITE of a webhook named (contract Twilio 2.5); empty when it named none."""
    headers = body.get("sip_headers") or []
    return {header["value"] for header in headers if header["name"].lower() == SID_HEADER and header["value"]}


def _says_the_caller_left(fact: StageFact) -> bool:
    if fact.kind == Kind.CARRIER_DIAL_ENDED:
        return fact.body.get("caller_on_line") is False
    if fact.kind == Kind.CARRIER_LEG:
        return fact.body.get("role") == Role.CALLER and fact.body.get("status") in OVER
    return fact.kind == Kind.CARRIER_LOOKED_UP and fact.body.get("status") in OVER


def _is_failed_dial(fact: StageFact) -> bool:
    """The AI's leg or its dial ended without a bridge; a leg without a SIP code waits for its dial's word."""
    if fact.kind != Kind.CARRIER_DIAL_ENDED:
        return fact.kind == Kind.CARRIER_RECOVERY or _is_refused_leg(fact)
    return fact.body.get("bridged") is not True and fact.body.get("dial_status") not in ("completed", "answered")


def _is_refused_leg(fact: StageFact) -> bool:
    """The SIP side of the AI refused a leg."""
    over = fact.kind == Kind.CARRIER_LEG and fact.body.get("role") == Role.AI and fact.body.get("status") in OVER
    return over and _refusal(fact.body) is not None


def _dial_stage(body: Mapping[str, Any], invite: _Invite) -> FailureStage:
    if invite.asked:
        return FailureStage.ACCEPTED_BUT_DEAD
    if invite.announced:
        return FailureStage.OUR_FAULT
    return FailureStage.SIP_REJECTED if _refusal(body) else FailureStage.WEBHOOK_MISSING


def _refusal(body: Mapping[str, Any]) -> int | None:
    """The SIP code by which the AI's side said no; None for our own cancel and for none."""
    code = _code(body, "sip_code")
    return code if code >= 400 and code != CANCELLED_BY_US else None


def _code(body: Mapping[str, Any], name: str) -> int:
    """A status or SIP code; 0 when there is none."""
    value = body.get(name)
    return value if isinstance(value, int) else 0
