"""The record of one transfer: every try in order, what came of it, and what the caller heard meanwhile.

Pure and total: any order and repetition of the same facts, one record. What the evidence does not say is None, which
the pages say as "not known".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from callops.transfers.hearing import Span, heard
from callops.transfers.verdict import Fact, FactKind, in_order


class Method(StrEnum):
    """How one try meant to move the caller; `dial` is the human's phone."""

    REFER = "refer"
    REDIRECT = "redirect"
    END_AI_LEG = "end_ai_leg"
    DIAL = "dial"


class End(StrEnum):
    """How a try ended, as far as the evidence says."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"
    LOST = "lost"
    RINGING = "ringing"
    TALKING = "talking"
    TALKED = "talked"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NOT_TAKEN = "not_taken"
    CALLED_OFF = "called_off"
    CALLER_LEFT = "caller_left"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of a transfer without a witness: the wish, and what was sent and is not answered yet."""

    at: datetime
    label: str
    uri: str
    refer_at: datetime | None = None
    redirect_at: datetime | None = None
    redirect_tries: int = 0
    ai_leg_end_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try. `number` counts the tries of its method; a human's dial has ring time and ends, a request has codes."""

    method: Method
    number: int
    label: str
    uri: str
    end: End
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    http_status: int | None = None
    error_code: str | None = None
    sip_code: int | None = None
    duration_ms: int | None = None
    ring_ms: int | None = None
    human_connected_at: datetime | None = None
    heard: tuple[Span, ...] = ()


ANSWERS = {
    FactKind.REFER_ANSWERED: Method.REFER,
    FactKind.REFER_UNANSWERED: Method.REFER,
    FactKind.REDIRECT_ANSWERED: Method.REDIRECT,
    FactKind.REDIRECT_UNANSWERED: Method.REDIRECT,
    FactKind.AI_LEG_END_ANSWERED: Method.END_AI_LEG,
}
DIALS = (FactKind.HUMAN_RINGING, FactKind.HUMAN_CONNECTED, FactKind.HUMAN_DIAL_ENDED)
DIAL_ENDS = {
    "busy": End.BUSY,
    "no-answer": End.NO_ANSWER,
    "completed": End.NOT_TAKEN,
    "canceled": End.CALLED_OFF,
    "failed": End.FAILED,
}


def tries_of(facts: Iterable[Fact], asked: Asked) -> list[Try]:
    """Every try in the order in which it was asked for; each with what the caller heard until the next one."""
    ordered = in_order(facts)
    made = [*_requests(ordered, asked), *_dials(ordered, asked)]
    made.sort(key=lambda each: (each.asked_at or asked.at, list(Method).index(each.method), each.number))
    spans = heard(ordered, asked_at=asked.at, label=asked.label, settled_at=asked.settled_at)
    return _with_spans(made, spans, asked.at)


def _requests(ordered: Sequence[Fact], asked: Asked) -> list[Try]:
    """Requests to the providers: those that were answered or given up, then those under way."""
    answered: list[Try] = []
    for fact in ordered:
        if method := ANSWERS.get(fact.kind):
            number = 1 + sum(each.method == method for each in answered)
            answered.append(_request(fact, method, number, asked))
    return [*answered, *_under_way(answered, asked)]


def _request(fact: Fact, method: Method, number: int, asked: Asked) -> Try:
    status = _whole(fact.detail.get("status"))
    return Try(
        method=method,
        number=number,
        label=asked.label,
        uri=_text(fact.detail.get("target")) or asked.uri,
        end=_answer(fact, status),
        asked_at=fact.moment("asked_at"),
        answered_at=fact.at if status is not None else None,
        http_status=status,
        error_code=_code(fact.detail.get("error_code")),
        duration_ms=_whole(fact.detail.get("duration_ms")),
    )


def _answer(fact: Fact, status: int | None) -> End:
    if status is not None:
        return End.REFUSED if status >= 400 else End.ANSWERED
    return End.FAILED if fact.detail.get("reason") in ("connect", "unfit") else End.LOST


def _under_way(answered: Sequence[Try], asked: Asked) -> list[Try]:
    """What was sent and has no answer yet, of which no witness can tell."""
    sent = [
        (Method.REFER, asked.refer_at, 1),
        (Method.REDIRECT, asked.redirect_at, asked.redirect_tries),
        (Method.END_AI_LEG, asked.ai_leg_end_at, 1),
    ]
    return [
        Try(method=method, number=number, label=asked.label, uri=asked.uri, end=End.WAITING, asked_at=at)
        for method, at, number in sent
        if at is not None and number > sum(each.method == method for each in answered)
    ]


def _dials(ordered: Sequence[Fact], asked: Asked) -> list[Try]:
    """The human's phones, one after the other: each way the caller came, each destination of the chain."""
    phones: dict[tuple[str, int], list[Fact]] = {}
    for fact in ordered:
        if fact.kind in DIALS:
            phones.setdefault((_text(fact.detail.get("via")), _step(fact)), []).append(fact)
    dials = [_dial(said, ordered, asked) for said in phones.values()]
    dials.sort(key=lambda each: each.asked_at or asked.at)
    return [replace(each, number=number) for number, each in enumerate(dials, start=1)]


def _dial(said: Sequence[Fact], ordered: Sequence[Fact], asked: Asked) -> Try:
    first = {fact.kind: fact for fact in reversed(said)}
    rang, taken = first.get(FactKind.HUMAN_RINGING), first.get(FactKind.HUMAN_CONNECTED)
    ended = first.get(FactKind.HUMAN_DIAL_ENDED)
    until = taken or ended or _caller_left(ordered, rang)
    named = [fact for fact in said if _text(fact.detail.get("label"))]
    addressed = [fact for fact in said if _text(fact.detail.get("uri"))]
    return Try(
        method=Method.DIAL,
        number=1,
        label=_text(named[0].detail["label"]) if named else asked.label,
        uri=_text(addressed[0].detail["uri"]) if addressed else "",
        end=_dial_end(rang, taken, ended, ordered),
        asked_at=_dialled_at(said[0], ordered),
        answered_at=taken.at if taken else None,
        sip_code=_whole(ended.detail.get("sip_code")) if ended else None,
        ring_ms=_ms(rang.at, until.at) if rang and until else None,
        human_connected_at=taken.at if taken else None,
    )


def _dialled_at(first: Fact, ordered: Sequence[Fact]) -> datetime:
    """When the phone was dialled: the document was fetched, or the one before did not take the call."""
    via, step = first.detail.get("via"), _step(first)
    if step:
        before = [
            fact.at
            for fact in ordered
            if fact.kind == FactKind.HUMAN_DIAL_ENDED and fact.detail.get("via") == via and _step(fact) == step - 1
        ]
    else:
        before = [fact.at for fact in ordered if fact.via is not None and fact.via == via and fact.kind not in DIALS]
    return min(before[0], first.at) if before else first.at


def _dial_end(rang: Fact | None, taken: Fact | None, ended: Fact | None, ordered: Sequence[Fact]) -> End:
    if ended is None:
        if taken:
            return End.TALKING
        return End.CALLER_LEFT if _caller_left(ordered, rang) else End.RINGING
    if taken or ended.detail.get("bridged") is True:
        return End.TALKED
    return DIAL_ENDS.get(_text(ended.detail.get("dial_status")), End.UNKNOWN)


def _caller_left(ordered: Sequence[Fact], rang: Fact | None) -> Fact | None:
    left = [fact for fact in ordered if fact.kind == FactKind.CALLER_LEFT and rang and fact.at >= rang.at]
    return left[0] if left else None


def _with_spans(made: Sequence[Try], spans: Sequence[Span], asked_at: datetime) -> list[Try]:
    """Each try with the spans that fall into its time: from when it was asked until the next was."""
    starts = [each.asked_at or asked_at for each in made]
    told = []
    for index, each in enumerate(made):
        start = asked_at if index == 0 else starts[index]
        end = starts[index + 1] if index + 1 < len(made) else None
        clipped = (span.within(start, end) for span in spans)
        told.append(replace(each, heard=tuple(span for span in clipped if span is not None)))
    return told


def _step(fact: Fact) -> int:
    return _whole(fact.detail.get("step")) or 0


def _ms(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _code(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
