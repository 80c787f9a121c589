"""The ladder's third rung: the carrier was asked whose leg the INVITE came on, and the halves are joined late.

Asked after the accept, so that nothing slow stands in front of the caller (contract Twilio 2.5; design.md section 3).
What the carrier says goes before numbers and time; what our signed header or a person said stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from callops.calls import intake, merging, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation
from callops.calls.words import Confidence, FailureStage, Lane, Method, Session, Topology
from callops.core.config import config
from callops.core.prepared import Asked, Prepared
from callops.sideband.arrivals import POSITIONS_A_SESSION, next_position_base
from callops.sideband.models import AiSession, Turn

YOUNG = timedelta(minutes=10)
PAUSE = timedelta(seconds=2)
MAX_ASKS = 3
MAX_A_LOOK = 100
ITEM_CHARS = 80
BECAUSE_CHARS = 300
AI_STAGES = frozenset({FailureStage.ACCEPT_REFUSED, FailureStage.ACCEPTED_BUT_DEAD, FailureStage.OUR_FAULT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Somebody's word that a session belongs to a call, better than what put it where it is."""

    session: AiSession
    at: datetime
    method: Method
    merged: str
    """Why two calls became one."""
    moved: str
    """Why the session is the call's, and not the other's any more."""
    lost: str
    """Why the other has it no more."""
    sid: str = ""
    """The AI's leg, if the carrier named it, and the leg that one came from."""
    parent_sid: str | None = None
    by: str = ""
    why: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether a socket is open, of which the old holder loses what it has not written yet."""
        return bool(self.session.lease_owner and self.session.opened_at and not self.session.closed_at)


def questions(now: datetime) -> list[tuple[int, str]]:
    """Young sessions of which the carrier can still say whose they are, as (session, leg named by the INVITE)."""
    found = _IN_QUESTION(before=now - PAUSE, young=now - YOUNG)
    return sorted((pk, sid) for pk, sid in found)[:MAX_A_LOOK]


def claim(session_id: int, now: datetime) -> bool:
    """The question is ours to ask; False when somebody asked a moment ago, or enough, or has the answer."""
    asked: dict[str, Any] = {"carrier_asked_at": now, "carrier_asks": F("carrier_asks") + 1}
    return _askable(now - PAUSE).filter(pk=session_id).update(**asked) == 1


@transaction.atomic
def carrier_says(session_id: int, *, sid: str, parent_sid: str | None, now: datetime) -> None:
    """The session is with the call that has this leg; said again, or of a leg nobody knows, nothing is changed."""
    session = AiSession.objects.select_for_update().get(pk=session_id)
    AiSession.objects.filter(pk=session_id).update(carrier_answered_at=now)
    sids = [named for named in (parent_sid, sid) if named]
    owner = Call.objects.filter(Q(carrier_sid__in=sids) | Q(legs__sid__in=sids)).order_by("pk").first()
    if owner is None:
        return
    call, present = merging.both(owner.pk, session.call_id)
    if _is_settled(session, present):
        return
    word = _carriers_word(session, sid, parent_sid, now, call, present)
    if call.pk == present.pk:
        _correlate(word, call, f"The carrier says that {sid}, which the INVITE names, is a leg of this call.", {})
    elif why := _apart(call, present):
        _note_apart(word, present, f"The carrier says that {sid} is a leg of call {call.pk}. {why}")
    else:
        _make_room(word, call)
        put_together(word, present, call)


def put_together(word: Word, present: Call, call: Call) -> None:
    """The session is the call's: an AI call without a carrier half becomes part of it, another one is left behind."""
    (_hand_over if present.carrier_sid else _merge)(word, present, call)


def _carriers_word(
    session: AiSession, sid: str, parent_sid: str | None, now: datetime, call: Call, present: Call
) -> Word:
    says = f"The carrier says that {sid}, which the INVITE names, is a leg of this call"
    return Word(
        session=session,
        at=now,
        method=Method.CARRIER_SID,
        merged=f"{says}: two calls became one.",
        moved=f"{says}, not of {present.pk}.",
        lost=f"The carrier says that {sid} is a leg of call {call.pk}; the guess was wrong.",
        sid=sid,
        parent_sid=parent_sid,
    )


def _askable(before: Any) -> QuerySet[AiSession]:
    """Sessions of which the carrier was not asked since that moment, nor often enough."""
    rested = Q(carrier_asked_at__isnull=True) | Q(carrier_asked_at__lte=before)
    return AiSession.objects.filter(rested, carrier_answered_at__isnull=True, carrier_asks__lt=MAX_ASKS)


def _in_question() -> QuerySet[Any, Any]:
    rows = _askable(Asked("before")).filter(
        call__topology=Topology.TWIML, call__ai_call_id=F("ai_call_id"), webhook_at__gte=Asked("young")
    )
    unsure = rows.exclude(invite_sid="").exclude(call__correlation_confidence=Confidence.EXACT)
    return unsure.exclude(call__correlation_method=Method.MANUAL).order_by().values_list("pk", "invite_sid")


_IN_QUESTION = Prepared(_in_question)


def _is_settled(session: AiSession, call: Call) -> bool:
    """Whether better evidence than a guess put the session where it is, or a newer session speaks for the call."""
    certain = call.correlation_confidence == Confidence.EXACT or call.correlation_method == Method.MANUAL
    return certain or call.ai_call_id != session.ai_call_id


def _apart(call: Call, present: Call) -> str:
    """Why the session cannot go to the call the carrier named; empty when it can."""
    others = AiSession.objects.filter(call=call, closed_at__isnull=True)
    if any(_is_settled(other, call) for other in others):
        return "Another assistant is on that call, so nothing was joined."
    if present.carrier_sid is None and call.has_open_transfer and present.has_open_transfer:
        return "Both are being transferred, so nothing was joined."
    return ""


def _note_apart(word: Word, present: Call, because: str) -> None:
    """Why the carrier's word changed nothing is on the timeline, once."""
    timeline.append(
        present,
        at=word.at,
        kind=Kind.US_CORRELATED,
        lane=Lane.US,
        body=_reason(present.correlation_method, present.correlation_confidence, because),
        source="callops",
        source_id=f"apart:{word.session.ai_call_id}",
    )


def _make_room(word: Word, call: Call) -> None:
    """A session that was only guessed to be this call's gets a call of its own, until the carrier names its call.

    Finished ones stay: they are history, and steer nobody.
    """
    for guess in AiSession.objects.select_for_update().filter(call=call, closed_at__isnull=True):
        own = intake.open_call(at=word.at, line=None, from_number=call.from_number, to_number="")
        half = _moved_half(replace(word, session=guess), call, own)
        gone = "The assistant here was a guess; the carrier says that another one is this call's."
        _lose_half(replace(word, lost=gone), call)
        because = f"The carrier says that call {call.pk}, to which this assistant was put by a guess, has another one."
        _join(word, own, Method.NONE, Confidence.NONE, because, half)


def _merge(word: Word, alone: Call, call: Call) -> None:
    """An AI call without a carrier half is the other half of this call: the two are one, and no event is lost."""
    _move(word.session, alone, call)
    merging.absorb(call.pk, alone.pk, now=word.at)
    intake.diagnose(call.pk)
    _correlate(word, call, word.merged, {"incomplete": True} if word.is_cut else {})


def _hand_over(word: Word, guessed: Call, call: Call) -> None:
    """Numbers and time were wrong: the assistant is this call's, and the other call has none (yet)."""
    half = _moved_half(word, guessed, call)
    _lose_half(word, guessed)
    _correlate(word, call, word.moved, half)


def _moved_half(word: Word, start: Call, end: Call) -> dict[str, Any]:
    """The session and its turns are moved; the fields of the call that has them now."""
    _move(word.session, start, end)
    stage = start.failure_stage if start.failure_stage in AI_STAGES else ""
    return {
        "ai_call_id": word.session.ai_call_id,
        "runtime": start.runtime,
        "ai_session": start.ai_session,
        "answered_at": merging.earliest(end.answered_at, word.session.opened_at),
        "failure_stage": merging.stage_of(end.failure_stage, stage),
        "incomplete": end.incomplete or start.incomplete or word.is_cut,
        "webhook_due_at": None,
    }


def _move(session: AiSession, start: Call, end: Call) -> None:
    """The session's turns are the other call's, after those it has; whoever held the socket attaches again."""
    base = next_position_base(end.pk)
    Call.objects.filter(pk__in=[start.pk, end.pk]).update(turn_rev=F("turn_rev") + 1)
    rev = Call.objects.values_list("turn_rev", flat=True).get(pk=end.pk)
    positions = (session.position_base, session.position_base + POSITIONS_A_SESSION - 1)
    turns = Turn.objects.filter(call=start, position__range=positions)
    names = list(turns.values_list("item_id", flat=True))
    for namesake in Turn.objects.filter(call=end, item_id__in=names):
        item_id = f"{namesake.position}:{namesake.item_id}"[:ITEM_CHARS]
        Turn.objects.filter(pk=namesake.pk).update(item_id=item_id, rev=rev)
    turns.update(call=end, position=F("position") + (base - session.position_base), rev=rev)
    freed = {"lease_owner": "", "lease_until": None}
    AiSession.objects.filter(pk=session.pk).update(call=end, position_base=base, **freed)


def _lose_half(word: Word, call: Call) -> None:
    """The call has no assistant; when one was dialled for it, its webhook is expected again."""
    changes: dict[str, Any] = {"ai_call_id": None, "ai_session": Session.NONE}
    changes["answered_at"] = call.legs.exclude(role="caller").aggregate(first=Min("answered_at"))["first"]
    if call.failure_stage in AI_STAGES:
        changes["failure_stage"] = ""
    if call.ai_dialled_at and not call.is_over:
        changes["webhook_due_at"] = max(word.at, call.ai_dialled_at + timedelta(seconds=config().webhook_deadline_s))
    _join(word, call, Method.NONE, Confidence.NONE, word.lost, changes)


def _correlate(word: Word, call: Call, because: str, changes: dict[str, Any]) -> None:
    """The word stands on the call, exact; when it is the carrier's, which leg is the AI's is known with it."""
    if word.parent_sid and word.parent_sid == call.carrier_sid:
        changes = {**changes, "ai_leg_sid": word.sid}
    if word.session.closed_at and call.carrier_sid and not call.is_over:
        changes = {**changes, "carrier_check_at": word.at, "carrier_checks": 0}
    _join(word, call, word.method, Confidence.EXACT, because, changes)


def _join(
    word: Word, call: Call, method: Method, confidence: Confidence, because: str, changes: dict[str, Any]
) -> None:
    """The judgement is kept, with who decided it, on the timeline and on the call, whose state is judged again."""
    judgement = {"method": method, "confidence": confidence, "because": because[:BECAUSE_CHARS]}
    Correlation.objects.create(call=call, decided_at=word.at, decided_by=word.by, **judgement)
    joined = {"correlation_method": method, "correlation_confidence": confidence, **changes}
    decision = {"by": word.by, "why": word.why} if word.by else {}
    intake.record(
        call.pk,
        at=word.at,
        kind=Kind.US_CORRELATED,
        lane=Lane.OPERATOR if word.by else Lane.US,
        body={**_reason(method, confidence, because), **decision},
        changes=joined,
    )


def _reason(method: str, confidence: str, because: str) -> dict[str, str]:
    return {"method": method, "confidence": confidence, "because": because}
