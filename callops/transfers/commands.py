"""What people and the assistant may ask of a transfer. Asking is a fact; carrying it out is the engine's work."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Final, ParamSpec

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from callops.calls import intake, timeline
from callops.calls.intake import Fact
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination
from callops.calls.words import Lane, Policy, Topology
from callops.calls.words import State as CallState
from callops.core.ids import new_id, new_token
from callops.core.prepared import Asked, PreparedRows
from callops.core.text import storable
from callops.transfers import evidence, switching, typed, wishes
from callops.transfers.held import Held
from callops.transfers.models import Approval, Evidence, Outcome, State, TransferAttempt, Witness
from callops.transfers.switching import Standing
from callops.transfers.tolls import TollRefused
from callops.transfers.typed import ApprovalWanted, Wish, check_rate
from callops.transfers.verdict import FactKind

P = ParamSpec("P")

MOVABLE = (CallState.LIVE, CallState.WITH_HUMAN)
KEY = re.compile(r"[\x21-\x7e]{1,200}")
ASSISTANT = "assistant"
CANARY = "the canary"
"""Who asks for a scheduled test transfer; a user's name has no space in it."""


class NotTransferable(Exception):
    """The call is not in a state from which a caller can be moved."""


class TargetRefused(Exception):
    """This destination, or this way of naming it, is not allowed."""


class AnotherOpen(Exception):
    """Another transfer of this call is still open; `attempt` is that one."""

    def __init__(self, attempt: TransferAttempt) -> None:
        super().__init__(f"Another transfer of this call, to {attempt.target_label}, is still open.")
        self.attempt = attempt


class TooLate(Exception):
    """The transfer has run its course; the message says what happened."""


def ask(
    *,
    call: Call,
    asked_by: str,
    now: datetime,
    destination: Destination | None = None,
    uri: str | None = None,
    policy: str | None = None,
    key: str | None = None,
    reason: str = "",
    summary: str = "",
    may_type: bool = False,
    approved: bool = False,
    seen: Standing | None = None,
) -> TransferAttempt | Held:
    """The wish is recorded once per key: the transfer in hand, or the one that the same key gave before.

    `uri` is an address of the directory, or, where the person `may_type`, one that `tolls` lets pass. Raises
    `TargetRefused`, `TooOften`, `ApprovalWanted` (which waits for a second person from then on), `AnotherOpen` or
    `NotTransferable`. `seen`: how the line's REFERs do, when that was read beforehand.
    """
    if destination is None:
        wish = Wish(uri or "", asked_by, policy or "", key, summary, approved=approved)
        found = _by_address(call, wish, now, may_type=may_type)
        if isinstance(found, Approval):
            raise ApprovalWanted(found)
        destination = found
    try:
        return _request(call, destination, asked_by, now, policy, key, reason, summary, seen)
    except IntegrityError:  # one open transfer per call: the constraint decides, not this process's memory
        raise AnotherOpen(TransferAttempt.objects.open().get(call_id=call.pk)) from None


def _of(asked: Callable[P, TransferAttempt | Held]) -> Callable[P, TransferAttempt]:
    @wraps(asked)
    def request(*args: P.args, **wish: P.kwargs) -> TransferAttempt:
        answer = asked(*args, **wish)
        return answer.attempt if isinstance(answer, Held) else answer

    return request


request_transfer = _of(ask)
"""The wish is recorded as by `ask`; the transfer, whatever has become of it."""


@transaction.atomic
def _request(
    call: Call,
    target: Destination,
    asked_by: str,
    now: datetime,
    policy: str | None,
    key: str | None,
    reason: str,
    summary: str,
    seen: Standing | None,
) -> TransferAttempt | Held:
    locked = _LOCKED.first(pk=call.pk)
    if locked is None:
        raise Call.DoesNotExist
    if known := _known(locked, key):
        return known
    if asked_by not in (ASSISTANT, CANARY):
        check_rate(asked_by, now=now)
    way = planned_policy(locked, policy)
    if locked.has_open_transfer and (open_attempt := TransferAttempt.objects.open().filter(call=locked).first()):
        raise AnotherOpen(open_attempt)
    if locked.state not in MOVABLE:
        raise NotTransferable(f"This call is {CallState(locked.state).label}; only a live call can be transferred.")
    first = switching.way_of(locked, way, now=now, seen=seen)
    attempt = TransferAttempt(
        id=new_id(now),
        token=new_token(),
        call=locked,
        key=key,
        destination=target if target.pk else None,
        target_uri=target.uri,
        target_label=target.label,
        target_screened=target.screen,
        policy=way,
        redirect_first=first.redirect_first,
        breaker_because=first.because,
        requested_by=asked_by,
        requested_at=now,
        reason=storable(reason)[:500],
        summary=storable(summary),
        model=locked.line.model if locked.line else "",
        due_at=now,
    )
    return _opened(attempt, now)


@transaction.atomic
def approved_transfer(approval: Approval, *, now: datetime) -> TransferAttempt:
    """What a second person agreed to is asked for in the first one's name; raises what `request_transfer` raises."""
    attempt = request_transfer(
        call=approval.call,
        asked_by=approval.asked_by,
        now=now,
        uri=approval.uri,
        policy=approval.policy or None,
        key=approval.key,
        reason=f"agreed to by {approval.decided_by}",
        summary=approval.summary,
        may_type=True,
        approved=True,
    )
    Approval.objects.filter(pk=approval.pk).update(attempt=attempt)
    return attempt


@transaction.atomic
def cancel(*, attempt: TransferAttempt, asked_by: str, now: datetime) -> TransferAttempt:
    """The transfer is settled as cancelled; possible until a human is connected, and losing that race is said."""
    held = evidence.hold(attempt.pk)
    locked = held.attempt
    if locked.state == State.SETTLED:
        if locked.outcome == Outcome.CANCELLED:
            return locked
        raise TooLate(f"Too late to cancel: {Outcome(locked.outcome).label}. {locked.because}")
    locked.cancelled_at = now
    body = {"by": asked_by, "transfer": locked.pk}
    event = timeline.note(locked.call, at=now, kind=Kind.OPERATOR_CANCELLED, lane=Lane.OPERATOR, body=body)
    return evidence.add(held, FactKind.CANCELLED, at=now, event=event, detail={"by": asked_by})


def _row_to_lock() -> QuerySet[Call, Call]:
    return Call.objects.select_for_update(of=("self",)).select_related("line").filter(pk=Asked("pk"))


_LOCKED: Final = PreparedRows(_row_to_lock)


def _opened(attempt: TransferAttempt, now: datetime) -> Held:
    """The wish is on the timeline, the first evidence of its transfer, and the call knows that it is open; its
    first step is taken where somebody carries it out.
    """
    call, talks_with = attempt.call, _who_has(attempt.call)
    by_assistant = attempt.requested_by == ASSISTANT
    body = {
        "label": attempt.target_label,
        "uri": attempt.target_uri,
        "by": attempt.requested_by,
        "policy": attempt.policy,
        "redirect_first": attempt.redirect_first,
        "breaker": attempt.breaker_because,
        "transfer": attempt.pk,
        "reason": attempt.reason,
    }
    lane = Lane.OPENAI if by_assistant else Lane.OPERATOR
    opens = {"has_open_transfer": True}
    fact = Fact(at=now, kind=Kind.OPERATOR_TRANSFER_ASKED, lane=lane, body=body, changes=opens)
    (event,) = intake.settle(call, [fact], now=now)
    asked = Evidence(
        attempt=attempt,
        kind=FactKind.ASKED,
        witness=Witness.OPENAI if by_assistant else Witness.OPERATOR,
        at=now,
        event=event,
        detail={"by": attempt.requested_by, "with": talks_with},
    )
    held = evidence.begin(attempt, asked, now=now)
    wishes.begin(held, now=now)
    return held


def _who_has(call: Call) -> str:
    """Who talks with the caller now."""
    return "human" if call.state == CallState.WITH_HUMAN else "assistant"


@transaction.atomic
def _by_address(call: Call, wish: Wish, now: datetime, *, may_type: bool) -> Destination | Approval:
    """The destination at this address, of the directory or typed; or the approval that is waited for."""
    if attempt := _known(call, wish.key):
        return Destination(name="", label=attempt.target_label, uri=attempt.target_uri)
    known = Destination.objects.filter(uri=storable(wish.uri)).first() if wish.uri else None
    if known is not None:
        return known
    if not may_type:
        raise TargetRefused(
            f"{wish.uri or 'An empty address'} is not in the directory; choose one of its destinations."
        )
    try:
        return typed.target(call, wish, now=now)
    except TollRefused as refused:
        raise TargetRefused(str(refused)) from refused


def _known(call: Call, key: str | None) -> TransferAttempt | None:
    """The transfer this key gave before."""
    return TransferAttempt.objects.filter(call=call, key=_checked(key)).first() if key is not None else None


def planned_policy(call: Call, asked: str | None = None) -> Policy:
    """How a transfer of this call would go, asked for so or not at all; raises `TargetRefused` when it could not."""
    if asked is not None and asked not in Policy.values:
        raise TargetRefused(f"Policy must be one of {', '.join(Policy.values)}.")
    if call.topology == Topology.TRUNK:
        if asked == Policy.REDIRECT_ONLY:
            raise TargetRefused("A trunk call cannot be redirected by the carrier; only a REFER can move it.")
        return Policy.REFER_ONLY
    return _steerable(call, Policy(asked or _line_policy(call)))


def _line_policy(call: Call) -> Policy:
    """What the line wants; a call rescued from a trunk is bound by no trunk's policy any more (contract Twilio 4)."""
    line = call.line
    is_rescued = line is not None and line.topology == Topology.TRUNK and call.topology != Topology.TRUNK
    return Policy.REFER_THEN_REDIRECT if line is None or is_rescued else Policy(line.transfer_policy)


def _steerable(call: Call, policy: Policy) -> Policy:
    """A call whose carrier leg is unknown can only be referred; a second transfer has no AI left to ask for a REFER."""
    if not call.carrier_sid:
        if policy == Policy.REDIRECT_ONLY:
            raise TargetRefused("No carrier leg of this call is known, so it cannot be redirected.")
        return Policy.REFER_ONLY
    if call.state == CallState.WITH_HUMAN and policy == Policy.REFER_THEN_REDIRECT:
        return Policy.REDIRECT_ONLY
    return policy


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise TargetRefused("Idempotency-Key must be 1 to 200 printable characters without blanks.")
    return key
