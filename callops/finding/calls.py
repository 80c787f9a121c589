"""Calls that fit a query: every term is one condition, and all of them hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from callops.alerts.fates import with_fate
from callops.calls import search
from callops.calls.kinds import Kind
from callops.calls.models import CallQuerySet, Event
from callops.calls.words import Confidence, State
from callops.core.ids import first_id
from callops.core.text import storable
from callops.custody.models import Hold
from callops.finding.fields import ANY
from callops.finding.language import Is, Query, Term
from callops.sideband import full_text, word_search
from callops.sideband.models import Turn
from callops.transfers.health import Fate
from callops.transfers.models import TransferAttempt


def fitting(calls: CallQuerySet, query: Query, *, now: datetime, numbers: bool = True) -> QuerySet[Any]:
    """Those of the calls that fit each term. Ids and words ask the database beforehand, once each.

    Without `numbers` no part of a number finds anything, nor does a word or a transfer's target with digits in it: else
    a search would tell a number digit by digit.
    """
    found: QuerySet[Any] = with_fate(calls) if any(term.name == "fate" for term in query.terms) else calls
    for condition in (
        _anything(query, numbers=numbers),
        *_fields(query, now),
        *_transfers(query, now, numbers=numbers),
    ):
        found = found.filter(condition)
    return found


def said(query: Query, *, numbers: bool = True) -> list[str]:
    """The phrases that calls are wanted for: what to mark in their transcripts."""
    return [str(term.value) for term in query.of(Is.WORDS) if not term.is_turned and (numbers or not _tells(term))]


def turns(query: Query, *, numbers: bool = True) -> QuerySet[Turn]:
    """Finished turns that hold one of the phrases at least, by a speaker who was asked for: for few calls at a time."""
    asked = said(query, numbers=numbers)
    found = [full_text.saying([phrase], speaker=_speaker(query), one_by_one=True) for phrase in asked]
    return reduce(or_, found) if found else Turn.objects.none()


def _anything(query: Query, *, numbers: bool) -> Q:
    found = Q()
    speaker = _speaker(query)
    for term in query.terms:
        if term.kind is Is.FIELD:
            continue
        text = storable(str(term.value))
        ids = (
            [] if term.is_quoted else search.ids_of(text if term.kind is Is.WORDS else storable(term.text).lstrip("-"))
        )
        if ids:
            condition = Q(pk__in=ids)
        elif term.kind is Is.NUMBER:
            condition = search.with_digits(text) if numbers else _NOTHING
        elif not numbers and _tells(term):
            condition = _NOTHING
        else:
            condition = word_search.on_call(text, speaker=speaker, is_turned=term.is_turned)
        found &= ~condition if term.is_turned else condition
    return found


def _fields(query: Query, now: datetime) -> list[Q]:
    terms = [term for term in query.of(Is.FIELD) if not term.field.of_transfer and term.name != "said"]
    return [
        ~_CONDITIONS[term.name](term, now) if term.is_turned else _CONDITIONS[term.name](term, now) for term in terms
    ]


def _transfers(query: Query, now: datetime, *, numbers: bool) -> list[Q]:
    """One transfer fits all that is asked of a transfer; none of the call's is like what is turned around."""
    terms = [term for term in query.of(Is.FIELD) if term.field.of_transfer]
    if not numbers and any(term.name == "dest" and _tells(term) for term in terms):
        return [_NOTHING]
    wanted = [term for term in terms if not term.is_turned]
    conditions = [Q(_exists(wanted, now))] if wanted else []
    return conditions + [~Q(_exists([term], now)) for term in terms if term.is_turned]


def _exists(terms: Sequence[Term], now: datetime) -> Exists:
    attempts: QuerySet[Any] = TransferAttempt.objects.filter(call=OuterRef("pk"))
    if any(term.name == "refer" for term in terms):
        attempts = TransferAttempt.objects.referred(now).filter(call=OuterRef("pk"))
    for term in terms:
        attempts = attempts.filter(_OF_TRANSFER[term.name](term, now))
    return Exists(attempts)


_NOTHING: Final = Q(pk__in=[])
_Condition = Callable[[Term, datetime], Q]


def _tells(term: Term) -> bool:
    """Whether finding this word would tell something of a number."""
    return any(each.isdigit() for each in str(term.value))


def _speaker(query: Query) -> str:
    return next((str(term.value) for term in query.terms if term.name == "said"), "")


def _refer(term: Term, now: datetime) -> Q:
    if term.value == "asked":
        return Q(refer_asked_at__isnull=False)
    return Q(fate=Fate.UNPROVEN if term.value == "unseen" else term.value)


def _wait(term: Term, now: datetime) -> Q:
    """From the click until a human was there; where none came, until it was over, or now."""
    until = timedelta(seconds=float(str(term.value)))
    compare = "gt" if term.op == ">" else "lt"
    limit = F("requested_at") + until
    none = Q(human_connected_at__isnull=True)
    under_way = Q(**{f"requested_at__{'lt' if term.op == '>' else 'gt'}": now - until})
    return (
        Q(**{f"human_connected_at__{compare}": limit})
        | none & Q(**{f"settled_at__{compare}": limit})
        | none & Q(settled_at__isnull=True) & under_way
    )


def _lasted(term: Term, now: datetime) -> Q:
    length = timedelta(seconds=float(str(term.value)))
    if term.op == ">":
        return Q(ended_at__gt=F("started_at") + length) | Q(ended_at__isnull=True, started_at__lt=now - length)
    return Q(ended_at__lt=F("started_at") + length)


def _stage(term: Term, now: datetime) -> Q:
    return ~Q(failure_stage="") if term.value == ANY else Q(failure_stage=term.value)


def _line(term: Term, now: datetime) -> Q:
    text = storable(str(term.value))
    return Q(line__name__icontains=text) | Q(line__number=text)


def _dest(term: Term, now: datetime) -> Q:
    text = storable(str(term.value))
    return Q(target_label__icontains=text) | Q(destination__name__iexact=text)


def _is(term: Term, now: datetime) -> Q:
    return {
        "live": Q(state__in=State.unfinished()),
        "incomplete": Q(incomplete=True),
        "marked": Q(Exists(Event.objects.filter(call=OuterRef("pk"), kind=Kind.OPERATOR_MARKED))),
        "held": Q(Exists(Hold.objects.standing().filter(call=OuterRef("pk")))),
        "transferred": Q(Exists(TransferAttempt.objects.filter(call=OuterRef("pk")))),
        "redacted": Q(Exists(Turn.objects.filter(call=OuterRef("pk"), detail__has_key="redacted"))),
        "unlinked": Q(correlation_confidence=Confidence.NONE),
    }[str(term.value)]


_OF_TRANSFER: Final[dict[str, _Condition]] = {
    "mechanism": lambda term, now: Q(mechanism=term.value),
    "outcome": lambda term, now: Q(outcome=term.value),
    "by": lambda term, now: Q(requested_by__iexact=storable(str(term.value))),
    "dest": _dest,
    "refer": _refer,
    "wait": _wait,
}
_CONDITIONS: Final[dict[str, _Condition]] = {
    "stage": _stage,
    "fate": lambda term, now: Q(fate=term.value) & ~Q(failure_stage=""),
    "state": lambda term, now: Q(state=term.value),
    "ended": lambda term, now: Q(ended_by=term.value),
    "join": lambda term, now: Q(correlation_method=term.value),
    "line": _line,
    "lasted": _lasted,
    "since": lambda term, now: Q(pk__gte=first_id(term.value)),  # type: ignore[arg-type]
    "until": lambda term, now: Q(pk__lt=first_id(term.value)),  # type: ignore[arg-type]
    "is": _is,
}
