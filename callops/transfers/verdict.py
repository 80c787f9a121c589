"""What the evidence proves about one transfer. Pure and total: any order and repetition of the same facts, one answer.

A claim is not evidence: HTTP 200 from anybody proves only that something was asked (design.md, law 2). The caller was
moved when the carrier reported the REFER or fetched our document; a human is there when the carrier says the legs were
bridged (contract Twilio 0, 2.2, 2.3 and 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from callops.transfers.models import Mechanism, Outcome


class FactKind(StrEnum):
    """What a witness may say about a transfer; `detail` keys in brackets."""

    ASKED = "asked"  # [by, with]
    REFER_ANSWERED = "refer_answered"  # [status, request_id, duration_ms, asked_at]
    REFER_UNANSWERED = "refer_unanswered"  # [reason, duration_ms]
    REFER_SEEN = "refer_seen"  # [target]
    REFER_REFUSED = "refer_refused"  # [code] the carrier got it and said no
    CHILD_SEEN = "child_seen"  # a trunk call's child: the REFER worked
    DEADLINE_PASSED = "deadline_passed"  # [deadline_s]
    REDIRECT_ANSWERED = "redirect_answered"  # [status, error_code, duration_ms, asked_at]
    REDIRECT_UNANSWERED = "redirect_unanswered"  # [reason, duration_ms, asked_at]
    LOOKED_UP = "looked_up"  # [caller, ai_leg] statuses as the carrier told them when asked; null: not told
    AI_LEG_END_ANSWERED = "ai_leg_end_answered"  # [status, error_code, duration_ms, asked_at]
    DOCUMENT_FETCHED = "document_fetched"  # [via]
    HUMAN_RINGING = "human_ringing"  # [via, step, label, uri, sid]
    HUMAN_CONNECTED = "human_connected"  # [via, step, label, uri, sid] an unscreened leg was answered
    SCREENING = "screening"  # [via, label, sid] a screened leg was answered and asked to press 1: nobody is there yet
    ACCEPTED_BY_KEY = "accepted_by_key"  # [via, label, sid] and 1 was pressed
    DECLINED_BY_KEY = "declined_by_key"  # [via, label, sid, key]
    HUMAN_LEG_ENDED = "human_leg_ended"  # [via, label, dial_status, sip_code] never taken
    HUMAN_DIAL_ENDED = "human_dial_ended"  # [via, step, label, uri, sid, dial_status, bridged, sip_code, more]
    CALLER_LEFT = "caller_left"
    CANCELLED = "cancelled"  # [by]
    GAVE_UP = "gave_up"  # [why] no step is left that could move the caller


@dataclass(frozen=True, slots=True)
class Fact:
    """One witness's word, with the time we learnt it."""

    kind: FactKind
    at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def via(self) -> Mechanism | None:
        """By which way the caller got there: the carrier's own request carries the address we handed out."""
        if self.kind in (FactKind.REFER_SEEN, FactKind.CHILD_SEEN):
            return Mechanism.REFER
        via = self.detail.get("via")
        if self.kind == FactKind.DOCUMENT_FETCHED and via == Mechanism.REFER:
            return None
        return Mechanism(via) if via in (Mechanism.REFER, Mechanism.REDIRECT, Mechanism.DIAL_ACTION) else None

    def number(self, name: str) -> float:
        """A number of the detail; 0 when it is missing or something else."""
        value = self.detail.get(name)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0

    def moment(self, name: str) -> datetime | None:
        """An aware time of the detail; None when it is missing or something else."""
        try:
            at = datetime.fromisoformat(str(self.detail.get(name)))
        except ValueError:
            return None
        return at if at.tzinfo is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is proven. `settled`: nothing more is planned; late facts still count."""

    mechanism: Mechanism
    outcome: Outcome
    settled: bool
    connected_at: datetime | None


ENDS = frozenset({FactKind.CALLER_LEFT, FactKind.CANCELLED, FactKind.GAVE_UP})
HUMAN = frozenset({FactKind.HUMAN_RINGING, FactKind.HUMAN_CONNECTED, FactKind.HUMAN_DIAL_ENDED})
NEVER_SENT = ("connect", "unfit")
MOVERS = frozenset({FactKind.REFER_SEEN, FactKind.CHILD_SEEN, FactKind.DOCUMENT_FETCHED})
DIAL_OUTCOMES = {"busy": Outcome.BUSY, "no-answer": Outcome.NO_ANSWER, "completed": Outcome.NO_ANSWER}


def judge(facts: Iterable[Fact], *, refer_only: bool) -> Verdict:
    """The verdict on these facts. `refer_only`: no redirect may follow a REFER that stays unseen."""
    ordered = in_order(facts)
    connected = connection(ordered)
    outcome, settled = _outcome(ordered, connected, refer_only=refer_only)
    return Verdict(
        mechanism=_mechanism(ordered, connected, outcome),
        outcome=outcome,
        settled=settled,
        connected_at=connected.at if connected else None,
    )


def in_doubt(facts: Iterable[Fact]) -> bool:
    """Whether a redirect's answer was lost and nobody knows yet if it took effect; while it is so nothing is repeated.

    The AI's leg ends 0.2 s after a redirect that took effect, so one that is still up says that it did not
    (contract Twilio 3.2).
    """
    ordered = in_order(facts)
    if any(fact.kind in MOVERS | ENDS | HUMAN for fact in ordered):
        return False
    telling = [fact for fact in ordered if fact.kind == FactKind.REDIRECT_ANSWERED or is_lost(fact) or ai_is_up(fact)]
    return bool(telling) and is_lost(telling[-1])


def is_lost(fact: Fact) -> bool:
    """A redirect that was sent and never answered."""
    return fact.kind == FactKind.REDIRECT_UNANSWERED and fact.detail.get("reason") not in NEVER_SENT


def ai_is_up(fact: Fact) -> bool:
    """The carrier was asked and said that the AI's leg is still up."""
    return fact.kind == FactKind.LOOKED_UP and fact.detail.get("ai_leg") == "in-progress"


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The same list for every order and repetition of the same facts."""
    unique = {(fact.at, fact.kind.value, repr(sorted(fact.detail.items()))): fact for fact in facts}
    return [unique[key] for key in sorted(unique)]


def connection(ordered: Sequence[Fact]) -> Fact | None:
    """The first word of the carrier that a human has the caller; None while nobody does.

    A screened leg that was answered says nothing, a mailbox answers too: the key counts, unless the end of that very
    dial, the last one, says that nobody was bridged (contract Twilio 2.2).
    """
    ends = [fact for fact in ordered if fact.kind == FactKind.HUMAN_DIAL_ENDED and not fact.detail.get("more")]
    unbridged = {str(end.detail["sid"]) for end in ends if end.detail.get("sid") and end.detail.get("bridged") is False}
    return next((fact for fact in ordered if _is_connection(fact, unbridged)), None)


def _is_connection(fact: Fact, unbridged: Set[str]) -> bool:
    if fact.kind == FactKind.HUMAN_CONNECTED:
        return True
    if fact.kind == FactKind.ACCEPTED_BY_KEY:
        return str(fact.detail.get("sid")) not in unbridged
    return fact.kind == FactKind.HUMAN_DIAL_ENDED and fact.detail.get("bridged") is True


def _outcome(ordered: Sequence[Fact], connected: Fact | None, *, refer_only: bool) -> tuple[Outcome, bool]:
    """The strongest fact first: a bridge, then what ended the wish, then what is still open."""
    kinds = {fact.kind for fact in ordered}
    if connected:
        return Outcome.CONNECTED, True
    if FactKind.CALLER_LEFT in kinds:
        return Outcome.CALLER_LEFT, True
    if FactKind.CANCELLED in kinds:
        return Outcome.CANCELLED, True
    if last := _last_dial(ordered):
        return DIAL_OUTCOMES.get(str(last.detail.get("dial_status")), Outcome.FAILED), True
    if FactKind.GAVE_UP in kinds:
        return (Outcome.UNKNOWN if kinds & MOVERS or _may_have_moved(ordered) else Outcome.FAILED), True
    return _refer_only_outcome(ordered) if refer_only else (Outcome.PENDING, False)


def _refer_only_outcome(ordered: Sequence[Fact]) -> tuple[Outcome, bool]:
    """A refusal or the deadline settles it, unless the caller had been moved before; a later move leaves it settled."""
    moved_at = next((fact.at for fact in ordered if fact.kind in MOVERS), None)
    before = [fact for fact in ordered if moved_at is None or fact.at < moved_at]
    refused = any(fact.kind == FactKind.REFER_REFUSED or _is_refusal(fact) for fact in before)
    if refused and moved_at is None:
        return Outcome.FAILED, True
    is_over = refused or any(fact.kind == FactKind.DEADLINE_PASSED for fact in before)
    return (Outcome.UNKNOWN, True) if is_over else (Outcome.PENDING, False)


def _may_have_moved(ordered: Sequence[Fact]) -> bool:
    """A redirect that was accepted or never answered may have taken effect without our seeing it."""
    return any(
        fact.kind == FactKind.REDIRECT_UNANSWERED
        or (fact.kind == FactKind.REDIRECT_ANSWERED and fact.number("status") < 400)
        for fact in ordered
    )


def _last_dial(ordered: Sequence[Fact]) -> Fact | None:
    """The end of the last human dial, when no further destination was rung after it."""
    ended = [fact for fact in ordered if fact.kind == FactKind.HUMAN_DIAL_ENDED and not fact.detail.get("more")]
    return ended[-1] if ended else None


def _is_refusal(fact: Fact) -> bool:
    return fact.kind == FactKind.REFER_ANSWERED and fact.number("status") >= 400


def _mechanism(ordered: Sequence[Fact], connected: Fact | None, outcome: Outcome) -> Mechanism:
    """What moved the caller: what the bridged leg's own callback says, else the last mover before the bridge."""
    if connected and connected.via:
        return connected.via
    movers = [fact for fact in ordered if fact.kind in MOVERS]
    before = [fact for fact in movers if connected is None or fact.at <= connected.at] or movers
    proven = next((fact.via for fact in reversed(before) if fact.via), None)
    if proven:
        return proven
    return Mechanism.UNKNOWN if outcome in (Outcome.PENDING, Outcome.CONNECTED, Outcome.UNKNOWN) else Mechanism.NONE
