"""An AI call announces itself: the webhook is a fact, joined to the carrier's half by the best evidence at hand.

The ladder: our signed header; the carrier's SID of a known leg; numbers and time, shown as probable, until the
carrier itself was asked (`joining`: nothing slow stands in front of the accept).
`sip_headers` are untrusted text; names are compared without case (contract OpenAI 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from callops.calls import correlation, intake, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation, Line
from callops.calls.words import Confidence, Lane, Method, Runtime, Session, State, Topology
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
class Match:
    """One rung of the ladder that held."""

    call: Call | None
    method: Method
    confidence: Confidence
    because: str


def arrive(news: Announcement, *, key: str, at: datetime) -> AiSession:
    """The AI call is known, joined to its call, and on the timeline once, however often the webhook is delivered.

    Of deliveries at the same moment one comes first; the others find what it made.
    """
    known = _known(news)
    if known is not None:
        return known
    try:
        return _first_arrival(news, key=key, at=at)
    except IntegrityError:
        known = _known(news)
        if known is None:
            raise
        return known


def _known(news: Announcement) -> AiSession | None:
    return AiSession.objects.select_related("call__line").filter(ai_call_id=news.ai_call_id).first()


@transaction.atomic
def _first_arrival(news: Announcement, *, key: str, at: datetime) -> AiSession:
    match = _find(news, key=key, at=at)
    call = match.call or _own_call(news, at)
    session = AiSession.objects.create(
        call=call,
        ai_call_id=news.ai_call_id,
        webhook_at=at,
        created_at=news.created_at,
        invite_sid=news.invite_sid,
        position_base=next_position_base(call.pk),
    )
    _join(call, match, news, at)
    return AiSession.objects.select_related("call__line").get(pk=session.pk)


def next_position_base(call_id: str) -> int:
    """Where the turns of a further session of the call begin: after those of every other."""
    last = AiSession.objects.filter(call=call_id).aggregate(last=Max("position_base"))["last"]
    return 0 if last is None else int(last) + POSITIONS_A_SESSION


def _find(news: Announcement, *, key: str, at: datetime) -> Match:
    reference = correlation.signed_reference(
        news.header(correlation.REF_HEADER), news.header(correlation.SIG_HEADER), key=key, now=at
    )
    if reference and (call := _free(Call.objects.filter(pk=reference))):
        return Match(call, Method.SIGNED_HEADER, Confidence.EXACT, "Our own signed header came back in the INVITE.")
    sid = news.invite_sid
    if sid and (call := _free(Call.objects.filter(Q(carrier_sid=sid) | Q(legs__sid=sid)).distinct())):
        return Match(call, Method.CARRIER_SID, Confidence.EXACT, f"The INVITE names {sid}, a leg of this call.")
    if not _is_trunk(news) and (call := _by_numbers(news, at)):
        return Match(
            call, Method.NUMBERS_AND_TIME, Confidence.PROBABLE, "The caller's number and the time fit this call best."
        )
    return Match(None, Method.NONE, Confidence.NONE, "No carrier call is known that fits.")


def _free(calls: Any) -> Call | None:
    """The call, unless an AI session of its newest dial is still going on: one caller hears one assistant."""
    call: Call | None = calls.select_related("line").first()
    if call is None:
        return None
    going_on = AiSession.objects.filter(call=call, closed_at__isnull=True, opened_at__isnull=False)
    if call.ai_dialled_at:
        going_on = going_on.filter(webhook_at__gte=call.ai_dialled_at)
    return None if going_on.exists() else call


def _by_numbers(news: Announcement, at: datetime) -> Call | None:
    window = timedelta(seconds=correlation.WINDOW_S)
    waiting = Call.objects.unfinished().filter(
        ai_call_id__isnull=True,
        carrier_sid__isnull=False,
        ai_dialled_at__gte=at - window,
        ai_dialled_at__lte=at + window,
    )
    candidates = [
        correlation.Candidate(call.pk, call.from_number, call.to_number, call.ai_dialled_at)
        for call in waiting
        if call.ai_dialled_at
    ]
    best = correlation.by_numbers_and_time(candidates, from_number=news.caller, to_number=news.dialled, at=at)
    return Call.objects.select_related("line").get(pk=best.call_id) if best else None


def _line(news: Announcement) -> Line | None:
    return Line.objects.filter(number=news.dialled).first() if news.dialled else None


def _is_trunk(news: Announcement) -> bool:
    """A trunk's call came straight to OpenAI: it is the other half of no call that asked us (contract Twilio 4)."""
    line = _line(news)
    return line is not None and line.topology == Topology.TRUNK


def _own_call(news: Announcement, at: datetime) -> Call:
    """An AI call nobody announced is a call too: a trunk's, or one whose carrier half is not known (yet)."""
    line = _line(news)
    sid = news.invite_sid if _is_trunk(news) else None
    return intake.open_call(
        at=at,
        line=line,
        from_number=news.caller or "",
        to_number=news.dialled or "",
        carrier_sid=sid if sid and not Call.objects.filter(carrier_sid=sid).exists() else None,
    )


def _join(call: Call, match: Match, news: Announcement, at: datetime) -> None:
    method, confidence, because = match.method, match.confidence, match.because
    if match.call is None and call.carrier_sid:
        method, confidence = Method.CARRIER_SID, Confidence.PROBABLE
        because = "A trunk call: its SID is what the SIP headers say."
    Correlation.objects.create(call=call, method=method, confidence=confidence, because=because, decided_at=at)
    body = {
        "type": news.type,
        "call_id": news.ai_call_id,
        "created_at": news.created_at.isoformat(),
        "headers": dict(news.received),
        "sip_headers": [{"name": name, "value": value} for name, value in news.headers],
    }
    changes = {
        "ai_call_id": news.ai_call_id,
        "runtime": news.runtime,
        "ai_session": Session.NONE,
        "correlation_method": method,
        "correlation_confidence": confidence,
        "webhook_due_at": None,
    }
    intake.record(
        call.pk,
        at=at,
        kind=Kind.OPENAI_WEBHOOK,
        lane=Lane.OPENAI,
        body=body,
        source="openai",
        source_id=news.webhook_id,
        changes=changes,
    )
    words = {"method": method, "confidence": confidence, "because": because}
    timeline.append(call, at=at, kind=Kind.US_CORRELATED, lane=Lane.US, body=words)


def lost_line(session: AiSession) -> Line | None:
    """The line that answers a call whose dialled number is not known: the only one there is, or none."""
    lines = list(Line.objects.all()[:2])
    return session.call.line or (lines[0] if len(lines) == 1 else None)


def is_pointless(session: AiSession) -> bool:
    """Whether the caller is known to be gone, so that accepting would raise a ghost (contract OpenAI 1.5)."""
    return session.call.state == State.ENDED
