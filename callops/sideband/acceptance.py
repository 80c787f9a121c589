"""One decision per AI call: claimed by compare-and-set, kept as a fact, and open again when the decider died.

A 200 on accept means *asked*; only an open sideband proves that the call lives (contract OpenAI 3.2, 4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from callops.calls import intake, judging
from callops.calls.intake import Fact
from callops.calls.kinds import Kind
from callops.calls.models import Destination, Event, Line
from callops.calls.words import Lane, Session, State
from callops.core import few_rows
from callops.core.prepared import Asked, Prepared
from callops.sideband import arrivals
from callops.sideband.arrivals import Announcement
from callops.sideband.models import AiSession
from callops.sideband.payload import Choice, back_again, session_payload

CLAIM_S = 5.0
TOO_OLD_S = 60.0
CLAIMED = (
    *("id", "call", "ai_call_id", "position_base", "created_at"),
    *("decision_until", "accepted_at", "refused_at"),
)
"""The fields of a session by which it is decided who may accept, and with what."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a process that won the claim must send."""

    session_id: int
    call_id: str
    ai_call_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An AI call that announced itself, and what must be sent when the decision is ours at once."""

    session_id: int
    call_id: str
    decision: Decision | None = None


def arrive(news: Announcement, *, key: str, owner: str, at: datetime, clock: Callable[[], datetime]) -> Arrival:
    """The AI call is known, joined to its call, and on the timeline once, however often the webhook is delivered.

    Whoever brings it first has the right to accept, as by `claim`. Of deliveries at the same moment one comes first;
    the others find what it made.
    """
    session = arrivals.known(news)
    if session is None:
        choices = _choices()
        try:
            return _first_arrival(news, choices, key=key, owner=owner, at=at, clock=clock)
        except IntegrityError:
            session = arrivals.known(news)
            if session is None:
                raise
    return Arrival(session.pk, session.call_id)


@transaction.atomic
def _first_arrival(
    news: Announcement,
    choices: Sequence[Choice],
    *,
    key: str,
    owner: str,
    at: datetime,
    clock: Callable[[], datetime],
) -> Arrival:
    match = arrivals.find(news, key=key, at=at)
    now, call = clock(), match.place.call  # it may have taken a while until it was our turn
    legs, facts = judging.legs_of(call), arrivals.facts(news, match, at)
    session = AiSession(
        call_id=call.pk,
        ai_call_id=news.ai_call_id,
        webhook_at=at,
        created_at=news.created_at,
        invite_sid=news.invite_sid,
        position_base=match.place.position_base,
    )
    may_be = _may_accept(session, judging.state_with(call, legs, facts[0].changes), now)
    line = arrivals.answering_line(call) if may_be else None
    if line is not None:
        session.decision_owner, session.decision_until = owner, now + timedelta(seconds=CLAIM_S)
    few_rows.insert(session)
    few_rows.insert(arrivals.judgement(match, at))
    decision = _decision(session, line, choices) if line is not None else None
    if decision is not None:
        facts.append(_asked(decision, now))
    intake.settle(call, facts, now=at, legs=legs)
    return Arrival(session.pk, call.pk, decision)


def is_too_old(session: AiSession, now: datetime) -> bool:
    """A webhook this late is about a dead call (contract OpenAI 1.4)."""
    return (now - session.created_at).total_seconds() > TOO_OLD_S


def is_pointless(state: str) -> bool:
    """Whether the caller is known to be gone, so that accepting would raise a ghost (contract OpenAI 1.5)."""
    return state == State.ENDED


@transaction.atomic
def claim(session_id: int, *, owner: str, now: datetime) -> Decision | None:
    """The right to accept, for `CLAIM_S` seconds; None when it was decided, is being decided, or must not be."""
    session = few_rows.locked(AiSession, session_id, CLAIMED)
    if session.accepted_at or session.refused_at or (session.decision_until and session.decision_until >= now):
        return None
    call = judging.lock(session.call_id)
    line = arrivals.answering_line(call)
    if line is None or not _may_accept(session, call.state, now):
        return None
    until = now + timedelta(seconds=CLAIM_S)
    few_rows.change(AiSession, session_id, {"decision_owner": owner, "decision_until": until})
    decision = _decision(session, line, _choices())
    intake.settle(call, [_asked(decision, now)], now=now)
    return decision


def _may_accept(session: AiSession, state: str, now: datetime) -> bool:
    return not is_too_old(session, now) and not is_pointless(state)


def _asked(decision: Decision, now: datetime) -> Fact:
    return Fact(
        at=now,
        kind=Kind.US_ACCEPT_ASKED,
        lane=Lane.US,
        body={"call_id": decision.ai_call_id, "model": decision.payload["model"]},
        changes={"ai_session": Session.ACCEPTING},
    )


def is_decided(session_id: int) -> bool:
    """Whether accept was answered, or refused for good."""
    return AiSession.objects.filter(pk=session_id).exclude(accepted_at=None, refused_at=None).exists()


def undecided(now: datetime) -> list[int]:
    """Sessions whose decider died between the webhook and the accept, while a caller may still be waiting."""
    young, before = now - timedelta(seconds=TOO_OLD_S), now - timedelta(seconds=1)
    return sorted(pk for (pk,) in _UNDECIDED(now=now, young=young, before=before))


_UNDECIDED = Prepared(
    lambda: (
        AiSession.objects.filter(
            Q(decision_until__isnull=True) | Q(decision_until__lt=Asked("now")),
            accepted_at__isnull=True,
            refused_at__isnull=True,
            closed_at__isnull=True,  # follows from both, and has an index, as its order has
            created_at__gte=Asked("young"),
            webhook_at__lt=Asked("before"),
        )
        .order_by("lease_until")
        .values_list("pk")
    )
)


@transaction.atomic
def accepted(session_id: int, *, at: datetime, kind: Kind, body: Mapping[str, Any]) -> None:
    """The accept was asked for and nobody said no; the sideband must prove the rest."""
    session = few_rows.change(AiSession, session_id, {"accepted_at": at, "decision_until": None}, ["id", "call"])
    intake.record(session.call_id, at=at, kind=kind, lane=Lane.OPENAI, body=body)


@transaction.atomic
def refused(session_id: int, *, at: datetime, kind: Kind, lane: Lane, body: Mapping[str, Any]) -> None:
    """There will be no AI on this call; the carrier's `action` takes the caller on.

    A decider who was given up for dead and comes back with a refusal does not undo an accept made since.
    """
    undecided = AiSession.objects.filter(pk=session_id, accepted_at__isnull=True)
    is_final = undecided.update(refused_at=at, closed_at=at, decision_until=None) == 1
    session = AiSession.objects.get(pk=session_id)
    changes = {"ai_session": Session.CLOSED} if is_final else {}
    intake.record(session.call_id, at=at, kind=kind, lane=lane, body=body, changes=changes)


@transaction.atomic
def held_back(session_id: int, *, at: datetime, cause: str, why: str) -> None:
    """Why a webhook was acknowledged and not acted on is on the timeline, once."""
    AiSession.objects.select_for_update().get(pk=session_id)
    session = _with_call(session_id)
    undecided = AiSession.objects.filter(pk=session_id, accepted_at__isnull=True, refused_at__isnull=True)
    never = undecided.update(refused_at=at, closed_at=at, decision_until=None) == 1
    newest = session.call.ai_call_id == session.ai_call_id
    intake.record(
        session.call_id,
        at=at,
        kind=Kind.US_ACCEPT_HELD_BACK,
        lane=Lane.US,
        body={"cause": cause, "why": why},
        source="callops",
        source_id=f"held-back:{session.ai_call_id}",
        changes={"ai_session": Session.CLOSED} if never and newest else {},
    )


def close_never_accepted(now: datetime) -> None:
    """Sessions that nobody accepted while it was time are over: their decider died, and no redelivery came."""
    old = AiSession.objects.filter(
        accepted_at__isnull=True, refused_at__isnull=True, created_at__lt=now - timedelta(seconds=TOO_OLD_S)
    )
    for session_id in list(old.values_list("pk", flat=True)[:100]):
        held_back(session_id, at=now, cause="too_old", why="Nobody accepted this call while it was time.")


def _with_call(session_id: int) -> AiSession:
    """The session and the call it belongs to now; it may be joined to another at any time (`joining`)."""
    return AiSession.objects.select_related("call__line").get(pk=session_id)


def _choices() -> list[Choice]:
    return [Choice(name, label) for name, label in Destination.objects.values_list("name", "label")]


def _decision(session: AiSession, line: Line, choices: Sequence[Choice]) -> Decision:
    payload = session_payload(
        model=line.model,
        voice=line.voice,
        instructions=line.instructions,
        choices=choices,
        told=told(session.call_id, session.position_base),
    )
    return Decision(session.pk, session.call_id, session.ai_call_id, payload)


def told(call_id: str, position_base: int) -> str:
    """What an assistant who gets a caller back must know; empty for the first assistant of a call."""
    if position_base == 0:
        return ""
    led_back = Event.objects.filter(call=call_id, kind=Kind.US_RESCUED).order_by("-seq").first()
    return back_again(str(led_back.body.get("why") or "") if led_back else "")
