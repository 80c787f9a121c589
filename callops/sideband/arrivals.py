"""An AI call announces itself: the webhook is a fact, joined to the carrier's half by the best evidence at hand.

The ladder: our signed header; the carrier's SID of a known leg; numbers and time, shown as probable, until the
carrier itself was asked (`joining`: nothing slow stands in front of the accept).
`sip_headers` are untrusted text; names are compared without case (contract OpenAI 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callops.calls import correlation, intake, judging
from callops.calls.intake import Fact
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation, Leg, Line
from callops.calls.words import Confidence, Lane, Method, Runtime, Session, Topology
from callops.core import few_rows
from callops.sideband.models import AiSession

CARRIER_SID_HEADER = "X-Twilio-CallSid"
SID_CHARS = 64
POSITIONS_A_SESSION = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A verified webhook about one AI call, as the doors read it. Header names keep their case."""

    webhook_id: str
    type: str
    ai_call_id: str
    runtime: Runtime
    created_at: datetime
    headers: Sequence[tuple[str, str]]
    caller: str | None
    """The caller's number in `From`, if it is one."""
    dialled: str | None
    """The number in `To`; on a TwiML line this is the AI's own address and no number."""
    received: Mapping[str, str] = field(default_factory=dict)
    """The headers of the delivery itself that are kept."""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def invite_sid(self) -> str:
        """The leg the INVITE names (contract Twilio 2.5); blank when it names none, or what is too long to be one."""
        sid = self.header(CARRIER_SID_HEADER) or ""
        return sid if len(sid) <= SID_CHARS else ""


@dataclass(frozen=True, slots=True)
class Place:
    """A call, locked, and where the turns of a further session of it begin."""

    call: Call
    position_base: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """The rung of the ladder that held."""

    place: Place
    method: Method
    confidence: Confidence
    because: str


def known(news: Announcement) -> AiSession | None:
    """The session of an AI call that has announced itself before, as far as its keys."""
    return next(iter(few_rows.rows(AiSession, ["id", "call"], ai_call_id=news.ai_call_id)), None)


def next_position_base(call_id: str) -> int:
    """Where the turns of a further session of the call begin: after those of every other."""
    return _after(AiSession.objects.filter(call=call_id).values_list("position_base", flat=True))


def _after(bases: Iterable[int]) -> int:
    last = max(bases, default=None)
    return 0 if last is None else last + POSITIONS_A_SESSION


def find(news: Announcement, *, key: str, at: datetime) -> Match:
    """The call to which the AI call belongs, by the best evidence at hand; a new one when none is known that fits."""
    reference = correlation.signed_reference(
        news.header(correlation.REF_HEADER), news.header(correlation.SIG_HEADER), key=key, now=at
    )
    if reference and (place := _free(reference)):
        return Match(place, Method.SIGNED_HEADER, Confidence.EXACT, "Our own signed header came back in the INVITE.")
    sid = news.invite_sid
    if sid and (owner := _owner(sid)) and (place := _free(owner)):
        return Match(place, Method.CARRIER_SID, Confidence.EXACT, f"The INVITE names {sid}, a leg of this call.")
    line = Line.objects.filter(number=news.dialled).first() if news.dialled else None
    is_trunk = line is not None and line.topology == Topology.TRUNK
    # a trunk's call came straight to OpenAI: it is the other half of no call that asked us (contract Twilio 4)
    if not is_trunk and (place := _by_numbers(news, at)):
        because = "The caller's number and the time fit this call best."
        return Match(place, Method.NUMBERS_AND_TIME, Confidence.PROBABLE, because)
    return _alone(news, line, at, carrier_sid=sid if is_trunk else "")


def _free(call_id: str) -> Place | None:
    """The call, unless an AI session of its newest dial is still going on: one caller hears one assistant."""
    sessions = _sessions(call_id)
    if _is_one_going_on(call_id, sessions):
        return None
    try:
        call = judging.lock(call_id)
    except Call.DoesNotExist:
        return None
    if call.ai_call_id and call.ai_call_id not in {session.ai_call_id for session in sessions}:
        sessions = _sessions(call_id)  # another one was joined to it while we waited for the lock
    return Place(call, _after(session.position_base for session in sessions))


def _sessions(call_id: str) -> list[AiSession]:
    names = ("ai_call_id", "position_base", "webhook_at", "opened_at", "closed_at")
    return few_rows.rows(AiSession, names, call=call_id)


def _is_one_going_on(call_id: str, sessions: Sequence[AiSession]) -> bool:
    heard_of = [session.webhook_at for session in sessions if session.opened_at and not session.closed_at]
    if not heard_of:
        return False
    dialled_at = Call.objects.values_list("ai_dialled_at", flat=True).filter(pk=call_id).first()
    return dialled_at is None or max(heard_of) >= dialled_at


def _owner(sid: str) -> str | None:
    """The newest call that has this leg."""
    owners = few_rows.values(Call, ["id"], carrier_sid=sid) + few_rows.values(Leg, ["call"], sid=sid)
    return max((call_id for (call_id,) in owners), default=None)


def _by_numbers(news: Announcement, at: datetime) -> Place | None:
    window = timedelta(seconds=correlation.WINDOW_S)
    waiting = Call.objects.unfinished().filter(
        ai_call_id__isnull=True,
        carrier_sid__isnull=False,
        ai_dialled_at__gte=at - window,
        ai_dialled_at__lte=at + window,
    )
    candidates = [
        correlation.Candidate(call_id, from_number, to_number, dialled_at)
        for call_id, from_number, to_number, dialled_at in waiting.values_list(
            "pk", "from_number", "to_number", "ai_dialled_at"
        )
        if dialled_at
    ]
    best = correlation.by_numbers_and_time(candidates, from_number=news.caller, to_number=news.dialled, at=at)
    place = _free(best.call_id) if best else None
    return place if place and not place.call.ai_call_id else None


def _alone(news: Announcement, line: Line | None, at: datetime, *, carrier_sid: str) -> Match:
    """An AI call nobody announced is a call too: a trunk's, or one whose carrier half is not known (yet)."""
    is_first = carrier_sid != "" and not Call.objects.filter(carrier_sid=carrier_sid).exists()
    call = intake.open_call(
        at=at,
        line=line,
        from_number=news.caller or "",
        to_number=news.dialled or "",
        carrier_sid=carrier_sid if is_first else None,
    )
    if is_first:
        because = "A trunk call: its SID is what the SIP headers say."
        return Match(Place(call), Method.CARRIER_SID, Confidence.PROBABLE, because)
    return Match(Place(call), Method.NONE, Confidence.NONE, "No carrier call is known that fits.")


def facts(news: Announcement, match: Match, at: datetime) -> list[Fact]:
    """What is on the timeline of the call: that the AI call announced itself, and how it was joined."""
    words = {"method": match.method, "confidence": match.confidence}
    webhook = Fact(
        at=at,
        kind=Kind.OPENAI_WEBHOOK,
        lane=Lane.OPENAI,
        body={
            "type": news.type,
            "call_id": news.ai_call_id,
            "created_at": news.created_at.isoformat(),
            "headers": dict(news.received),
            "sip_headers": [{"name": name, "value": value} for name, value in news.headers],
        },
        source="openai",
        source_id=news.webhook_id,
        changes={
            "ai_call_id": news.ai_call_id,
            "runtime": news.runtime,
            "ai_session": Session.NONE,
            "correlation_method": match.method,
            "correlation_confidence": match.confidence,
            "webhook_due_at": None,
        },
    )
    joined = Fact(at=at, kind=Kind.US_CORRELATED, lane=Lane.US, body={**words, "because": match.because})
    return [webhook, joined]


def judgement(match: Match, at: datetime) -> Correlation:
    """How the halves were joined, as it is kept."""
    return Correlation(
        call_id=match.place.call.pk,
        method=match.method,
        confidence=match.confidence,
        because=match.because,
        decided_at=at,
    )


def answering_line(call: Call) -> Line | None:
    """The line that answers a call; where the dialled number is not known it is the only one there is, or none."""
    names = ("id", "model", "voice", "instructions")
    if call.line_id is not None:
        return next(iter(few_rows.rows(Line, names, pk=call.line_id)), None)
    lines = list(Line.objects.all()[:2])
    return lines[0] if len(lines) == 1 else None
