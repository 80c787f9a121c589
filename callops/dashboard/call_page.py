"""One call as its page shows it: header, verdict, transcript, timeline, and what can be done now."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from callops.calls import timeline
from callops.calls.ends import End
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event, Leg
from callops.calls.words import Policy, State, Topology
from callops.core import bulk
from callops.core.config import config
from callops.core.prepared import Asked, Prepared, among
from callops.dashboard import afar
from callops.dashboard.ending import end_of
from callops.dashboard.moving_steps import steps_of, under_way_by
from callops.dashboard.phrases import DOUBT, FAILURES, WHAT_NEXT, WHOSE_FAULT, again, cap, plan
from callops.dashboard.promised import Promised, promised
from callops.dashboard.whisperers import named
from callops.sideband import glance
from callops.sideband.glance import WELL, Standing
from callops.sideband.models import AiSession, Turn
from callops.supervision import presence
from callops.supervision.commands import cursor_of, refusal
from callops.supervision.models import Intervention
from callops.transfers import switching
from callops.transfers.breaker import Decision
from callops.transfers.commands import TargetRefused, planned_policy
from callops.transfers.evidence import facts_of
from callops.transfers.models import Approval, TransferAttempt
from callops.transfers.typed import open_approvals
from callops.transfers.verdict import in_doubt

MAX_EVENTS = 500
MAX_ACTS = 20
STAMP = ("turn_rev", "last_seq", "has_open_transfer", "state", "ai_session", "failure_stage", "incomplete")
TALK = 2
"""How many of them change by mere talk."""
Stamp = tuple[object, ...]
"""The values of `STAMP`: what talk changes, then the open transfer, then what else of a call a page shows."""
SAID = frozenset({Kind.OPENAI_TURN, Kind.OPENAI_INTERRUPTED})
"""Events that change nothing on a call's page but its transcript and timeline."""
TRANSFERABLE = frozenset({State.LIVE, State.WITH_HUMAN})


class Cursor(NamedTuple):
    """How far a call was read: the last event and the last revision of its turns."""

    seq: int
    rev: int


@dataclass(slots=True)
class Talk:
    """What was said on a call after a cursor."""

    turns: list[Turn]
    events: list[Event]
    count: int | None = None
    """How many turns it has now; None: no turn changed, though one may have been taken back."""

    @property
    def is_all(self) -> bool:
        """Whether these events change nothing else on the page."""
        return len(self.events) < MAX_EVENTS and all(event.kind in SAID for event in self.events)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything about one call after a cursor, read together; `seq` and `rev` are where the next reading starts."""

    call: Call
    attempts: Sequence[TransferAttempt]
    events: Sequence[Event]
    turns: Sequence[Turn]
    turn_ids: Set[int] | None
    """All turns there are; None when none changed after the cursor."""
    seq: int
    rev: int
    breaker: Decision | None = None
    """Where the line's breaker stands, when a transfer asked for now would ask it."""
    end: End | None = None
    """How the call ended, once it has."""
    standing: Standing = WELL
    promised: Promised | None = None
    acts: Sequence[Intervention] = ()
    """What supervisors did in the conversation, newest first."""
    approvals: Sequence[Approval] = ()
    """Wishes that wait for a second person."""
    looking: tuple[str, ...] = ()
    """Who has this page open."""
    legs: Sequence[Leg] = ()
    session: AiSession | None = None
    """The newest AI session."""

    @property
    def stamp(self) -> tuple[object, ...]:
        """What is looked at once a second: a notification may be lost, and silence notifies nobody."""
        return (*(getattr(self.call, name) for name in STAMP), self.standing, self.looking)

    def upto(self, seq: int, turns: Container[int]) -> Picture:
        """The same picture without rows that came later: events after `seq`, and turns that are not among these."""
        return replace(
            self,
            events=[event for event in self.events if event.seq <= seq],
            turns=[turn for turn in self.turns if turn.pk in turns],
        )


def stamps(call_ids: Collection[str], now: datetime) -> dict[str, tuple[object, ...]]:
    """The stamps of these calls as they are now. One query."""
    rows = _STAMPS(ids=call_ids, **afar.since(now))
    return {pk: (*seen.columns[1:], seen.standing, seen.looking) for pk, seen in afar.each(rows, now).items()}


_STAMPS = Prepared(lambda: afar.columns(Call.objects.filter(among("pk", Asked("ids"))), "pk", *STAMP))


def only_talk(before: Stamp, after: Stamp) -> bool:
    """Whether at most turns and events can have changed between two stamps of a call.

    While a transfer is under way its evidence may change too.
    """
    return before[TALK:] == after[TALK:] and not after[TALK]


def talk_since(cursors: Mapping[str, Cursor]) -> dict[str, Talk]:
    """What was said on these calls after these cursors. Two queries, however many calls.

    The count comes in the same statement as the turns, so that it is about the same moment.
    """
    turns = bulk.after(Turn, "call", "rev", {pk: at.rev for pk, at in cursors.items()}, count_as="count")
    events = bulk.after(Event, "call", "seq", {pk: at.seq for pk, at in cursors.items()})
    talk = {pk: Talk([], []) for pk in cursors}
    for turn in named(sorted(turns, key=order)):
        talk[turn.call_id].turns.append(turn)
        talk[turn.call_id].count = vars(turn)["count"]
    for event in sorted(events, key=lambda event: event.seq or 0):
        talk[event.call_id or ""].events.append(event)
    return talk


def read(call_id: str, *, now: datetime, seq: int = 0, rev: int = 0) -> Picture | None:
    """The call as it is now, with what is new after the cursors; None when there is no such call.

    Fourteen queries; one more once the call is over, or when the assistant promised what nobody did.
    The call is read first: whatever commits while the rest is read is found again after these cursors.
    """
    call = Call.objects.select_related("line").filter(pk=call_id).first()
    if call is None:
        return None
    start = max(seq, call.last_seq - MAX_EVENTS)
    said = Turn.objects.filter(call_id=call_id)
    turn_ids = set(said.order_by().values_list("pk", flat=True)) if rev and call.turn_rev != rev else None
    turns = list(said.filter(rev__gt=rev) if rev else said)
    events = timeline.since(call_id, start, limit=2 * MAX_EVENTS)
    standing = glance.standing(glance.glances([call.pk]).get(call.pk), now)
    attempts = list(call.transfers.prefetch_related("evidence").order_by("-pk"))
    return Picture(
        call=call,
        attempts=attempts,
        events=events,
        turns=named(sorted(turns, key=order)),
        turn_ids=turn_ids,
        seq=max([call.last_seq, *(event.seq for event in events)]),
        rev=max([call.turn_rev, *(turn.rev for turn in turns)]),
        breaker=_breaker(call, now),
        end=end_of(call),
        standing=standing,
        promised=promised(call, standing, attempts[0] if attempts else None),
        acts=list(call.interventions.order_by("-pk")[:MAX_ACTS]),
        approvals=() if call.is_over else open_approvals(call, now=now),
        looking=presence.looking([call.pk], now).get(call.pk, ()),
        legs=list(call.legs.all()),
        session=call.sessions.order_by("-pk").first(),
    )


def became(call_id: str) -> str | None:
    """The call that this half became part of; None when there never was such a call."""
    return Call.objects.known_as(call_id).values_list("pk", flat=True).first()


def order(turn: Turn) -> tuple[int, int]:
    """Where a turn stands in the transcript."""
    return (turn.position, turn.pk)


def status(picture: Picture) -> dict[str, Any]:
    """What header, verdict and commands show."""
    call = picture.call
    attempt = picture.attempts[0] if picture.attempts else None
    return {
        "call": call,
        "attempt": attempt,
        "earlier": picture.attempts[1:],
        "open_attempt": attempt if attempt and attempt.is_open else None,
        "end": picture.end,
        "standing": picture.standing,
        "promised": picture.promised,
        "cap": cap(picture.standing),
        "failure": FAILURES.get(call.failure_stage, ""),
        "whose_fault": WHOSE_FAULT.get(call.failure_stage, ""),
        "what_next": WHAT_NEXT.get(call.failure_stage, ""),
        "decided_by": deciding_event(call),
        "blocked": why_not(call, attempt),
        "in_doubt": is_in_doubt(attempt),
        "again": again(call, attempt),
        "plan": plan_of(call, picture.breaker),
        "approvals": picture.approvals,
        "steps": steps_of(attempt) if attempt and attempt.is_open else [],
        **supervision(picture),
    }


def supervision(picture: Picture) -> dict[str, Any]:
    """What can be done in the conversation, what was, and who else is here."""
    call = picture.call
    cursor = cursor_of(call)
    return {
        "acts": picture.acts,
        "looking": picture.looking,
        "legs": picture.legs,
        "session": picture.session,
        "cursor": cursor,
        "paused": cursor.endswith(".paused"),
        "mute": refusal(call),
    }


def deciding_event(call: Call) -> int | None:
    """The number of the event that decided at which stage the call failed, if the page has it."""
    seq = call.failure_seq
    return seq if seq is not None and seq > call.last_seq - MAX_EVENTS else None


def is_in_doubt(attempt: TransferAttempt | None) -> bool:
    """Whether a redirect's answer was lost and it is not known yet if the caller was moved: only Hang up is open."""
    return attempt is not None and attempt.is_open and in_doubt(facts_of(attempt))


def plan_of(call: Call, breaker: Decision | None) -> str:
    """What pressing Transfer will do to this call as it stands now."""
    own_s = call.line.refer_deadline_s if call.line else None
    deadline_s = config().refer_deadline_s if own_s is None else own_s
    try:
        return plan(planned_policy(call), call.topology, deadline_s, breaker=breaker)
    except TargetRefused as refusal:
        return str(refusal)


def why_not(call: Call, attempt: TransferAttempt | None) -> str:
    """Why the caller cannot be moved now; empty when a transfer may be asked for."""
    if call.is_over:
        return "This call is over."
    if attempt and is_in_doubt(attempt):
        return DOUBT
    if attempt and attempt.is_open:
        return f"{under_way_by(attempt)} A transfer to {attempt.target_label} is under way."
    if call.state not in TRANSFERABLE:
        return "The AI has not answered yet; a transfer is possible once the call is live."
    return ""


def _breaker(call: Call, now: datetime) -> Decision | None:
    """Where the breaker stands that a transfer of this call would ask; a second transfer asks for no REFER anyway."""
    line = call.line
    asked = line is not None and line.transfer_policy == Policy.REFER_THEN_REDIRECT and call.state == State.LIVE
    if line is None or not asked or call.topology == Topology.TRUNK or not call.carrier_sid:
        return None
    return switching.standing(line, now=now).decision
