"""What went over HTTP: our questions with their answers, and the deliveries that came to our doors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from callops.calls.kinds import Kind
from callops.reports.record import CallRecord, Happening, Json, iso, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question of ours. `status` is None while it is not answered; `reason` says why it never was.

    `asked_at` is exact when the question stands on the timeline, else the time of the answer less how long it took.
    """

    to: str
    name: str
    request: str
    asked_at: datetime
    asked_seq: int | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)
    answered_at: datetime | None = None
    answered_seq: int | None = None
    status: int | None = None
    reason: str = ""
    duration_ms: int | None = None
    request_id: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    absent: Sequence[str] = ()
    message: str = ""
    error_code: str | None = None
    transfer: str = ""

    def as_json(self) -> Json:
        """The exchange as a bundle holds it."""
        return {
            "to": self.to,
            "name": self.name,
            "request": self.request,
            "sent": dict(self.sent),
            "asked_at": iso(self.asked_at),
            "asked_seq": self.asked_seq,
            "answered_at": iso(self.answered_at),
            "answered_seq": self.answered_seq,
            "status": self.status,
            "reason": self.reason,
            "duration_ms": self.duration_ms,
            "request_id": self.request_id,
            "headers": dict(self.headers),
            "absent": list(self.absent),
            "error_code": self.error_code,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of question: whom it goes to, its request line, and the facts that tell of its answer."""

    to: str
    name: str
    line: str
    asked: Kind | None
    answers: tuple[Kind, ...]


QUESTIONS = (
    Question(
        "openai",
        "accept",
        "POST {openai}/realtime/calls/{ai}/accept",
        Kind.US_ACCEPT_ASKED,
        (Kind.OPENAI_ACCEPT_ANSWERED, Kind.OPENAI_ACCEPT_UNANSWERED),
    ),
    Question(
        "openai",
        "refer",
        "POST {openai}/realtime/calls/{ai}/refer",
        Kind.US_REFER_ASKED,
        (Kind.OPENAI_REFER_ANSWERED, Kind.OPENAI_REFER_UNANSWERED),
    ),
    Question(
        "openai",
        "hangup",
        "POST {openai}/realtime/calls/{ai}/hangup",
        None,
        (Kind.OPENAI_HANGUP_ANSWERED,),
    ),
    Question(
        "twilio",
        "redirect",
        "POST {twilio}/2010-04-01/Accounts/{account}/Calls/{caller}.json",
        Kind.US_REDIRECT_ASKED,
        (Kind.CARRIER_REDIRECT_ANSWERED, Kind.CARRIER_REDIRECT_UNANSWERED),
    ),
    Question(
        "twilio",
        "end of a leg",
        "POST {twilio}/2010-04-01/Accounts/{account}/Calls/{leg}.json",
        None,
        (Kind.CARRIER_HANGUP_ANSWERED,),
    ),
)
OURS = frozenset({"transfer", "deadline_at", "sid", "tries"})
"""Keys of a question's fact that were not sent."""


def exchanges(record: CallRecord) -> list[Exchange]:
    """Every question that is on record, in the order in which they were asked."""
    found = [each for question in QUESTIONS for each in _of(question, record)]
    return sorted(found, key=lambda each: (each.asked_at, each.asked_seq or each.answered_seq or 0))


def webhooks(record: CallRecord) -> list[Happening]:
    """The deliveries to our doors: those of OpenAI, and every request of Twilio's."""
    return [row for row in record.happened if row.kind == Kind.OPENAI_WEBHOOK or "params" in row.body]


def _of(question: Question, record: CallRecord) -> Iterable[Exchange]:
    """Each answer is that of the last question before it; a second one to the same question was a try of its own."""
    waiting: list[Happening] = []
    for row in record.happened:
        if row.kind == question.asked:
            waiting.append(row)
        elif row.kind in question.answers and row.body.get("reason") != "unfit":
            asked = next((each for each in waiting if _belongs(row, each)), None)
            if asked:
                waiting.remove(asked)
            yield _exchange(question, record, asked, row)
    for row in waiting:
        yield _unanswered(question, record, row)


def _belongs(answer: Happening, asked: Happening) -> bool:
    return answer.body.get("transfer") == asked.body.get("transfer")


def _unanswered(question: Question, record: CallRecord, asked: Happening) -> Exchange:
    return Exchange(
        to=question.to,
        name=question.name,
        request=_request_line(question, record, asked.body),
        asked_at=asked.at,
        asked_seq=asked.seq,
        sent={key: value for key, value in asked.body.items() if key not in OURS},
        transfer=str(asked.body.get("transfer") or ""),
    )


def _exchange(question: Question, record: CallRecord, asked: Happening | None, answer: Happening) -> Exchange:
    body, took = answer.body, answer.body.get("duration_ms")
    status = body.get("status") if isinstance(body.get("status"), int) else None
    took_ms = took if isinstance(took, int) else None
    return Exchange(
        to=question.to,
        name=question.name,
        request=_request_line(question, record, body),
        asked_at=asked.at if asked else answer.at - timedelta(milliseconds=took_ms or 0),
        asked_seq=asked.seq if asked else None,
        sent={key: value for key, value in asked.body.items() if key not in OURS} if asked else {},
        answered_at=answer.at if status is not None else None,
        answered_seq=answer.seq,
        status=status,
        reason=str(body.get("reason") or ""),
        duration_ms=took_ms,
        request_id=body.get("request_id"),
        headers=body.get("headers") or {},
        absent=body.get("absent") or (),
        message=str(body.get("message") or ""),
        error_code=None if body.get("error_code") is None else str(body["error_code"]),
        transfer=str(body.get("transfer") or ""),
    )


def _request_line(question: Question, record: CallRecord, body: Mapping[str, Any]) -> str:
    call, settings = record.call, record.settings
    ai_leg = body.get("leg") == "ai"
    return question.line.format(
        openai=settings.get("openai_base_url") or "",
        twilio=settings.get("twilio_base_url") or "",
        account=settings.get("twilio_account_sid") or "ACCOUNT",
        ai=call.get("ai_call_id") or "?",
        caller=call.get("carrier_sid") or "?",
        leg=(call.get("ai_leg_sid") if ai_leg else call.get("carrier_sid")) or "?",
    )


def provider_moment(row: Happening) -> datetime | None:
    """When the provider says that it happened, to the second: what it wrote into its delivery, or an answer's Date."""
    if created := moment(row.body.get("created_at")):
        return created
    params, headers = row.body.get("params"), row.body.get("headers")
    told = params.get("Timestamp") if isinstance(params, Mapping) else None
    told = told or (headers.get("date") if isinstance(headers, Mapping) else None)
    return http_date(told) if told else None


def http_date(told: Any) -> datetime | None:
    """A time as HTTP and Twilio write it: `Tue, 19 May 2026 09:26:00 GMT`."""
    try:
        at = parsedate_to_datetime(str(told))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
