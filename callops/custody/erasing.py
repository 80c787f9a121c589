"""One caller is forgotten: their number, where they called from, and what was said. The calls' skeletons stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from callops.audit import chain, verbs
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, CallBack, Correlation, Event
from callops.calls.words import Lane
from callops.custody import forgetting, written
from callops.custody.models import Hold
from callops.custody.scrubbing import ERASED, forms, scrub
from callops.sideband import full_text
from callops.transfers.models import Evidence

NOT_TOUCHED = (
    "Backups and log files are not touched: let them run out, or restore none from before this erasure.",
    "The audit is not touched: it is only added to, each entry with the hash of the one before.",
    "It keeps who searched for the number, and titles, reasons and views as they were typed, until KEEP_AUDIT_DAYS.",
    "What people remarked on calls of others, and why they held one, is not touched: look through it.",
    "A number that people wrote in words or in part is not found: look through notes of incidents.",
    "What Twilio and OpenAI keep of these calls is theirs to erase: ask them with the ids below.",
)


@dataclass(slots=True)
class Report:
    """What an erasure found and did; `held` and `live` are calls that were left as they are."""

    number: str
    at: datetime
    erased: list[dict[str, Any]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left."""
        return not (self.held or self.live)


def erase(number: str, *, by: str, now: datetime, really: bool = True) -> Report:
    """Nothing of the caller with this E.164 number is kept, but on calls that are held or not over.

    What people wrote keeps the number while a call of the caller is on hold: it may be about that call.

    With `really=False` nothing changes and the report says what would be erased.
    """
    report = Report(number, now)
    held = set(Hold.objects.standing().values_list("call_id", flat=True))
    for call in Call.objects.filter(from_number=number).order_by("pk"):
        if call.pk in held:
            report.held.append(call.pk)
        elif not call.is_over:
            report.live.append(call.pk)
        else:
            report.erased.append({"call": call.pk, "twilio": call.carrier_sid, "openai": call.ai_call_id})
    if really:
        chain.record(by, verbs.ERASE, now=now, detail={"calls": [one["call"] for one in report.erased]})
        for one in report.erased:
            report.counts += _erase_call(one["call"], forms(number), by=by, now=now)
        report.counts += _erase_elsewhere(number, forms(number), but_not=[*report.held, *report.live], now=now)
        full_text.tidy()
    if not report.held:
        report.counts += written.erase(number, really=really)
    return report


@transaction.atomic
def _erase_call(call_id: str, numbers: Collection[str], *, by: str, now: datetime) -> Counter[str]:
    done = forgetting.words([call_id])
    done["facts"] += _scrub(Event.objects.filter(call=call_id), numbers)
    _scrub_evidence(call_id, numbers)
    for reason in Correlation.objects.filter(call=call_id):
        Correlation.objects.filter(pk=reason.pk).update(because=scrub(reason.because, numbers))
    Call.objects.filter(pk=call_id).update(from_number=ERASED)
    timeline.note(Call.objects.get(pk=call_id), at=now, kind=Kind.OPERATOR_ERASED, lane=Lane.OPERATOR, body={"by": by})
    done["calls"] += 1
    return done


@transaction.atomic
def _erase_elsewhere(number: str, numbers: Sequence[str], *, but_not: Collection[str], now: datetime) -> Counter[str]:
    """The log of the doors, and the list of callers to call back."""
    in_log = Event.objects.of_no_call().annotate(text=Cast("body", TextField())).filter(text__contains=numbers[0])
    backs = CallBack.objects.filter(number=number).exclude(call__in=but_not)
    found = Counter({"facts of no call": _scrub(in_log, numbers), "call backs": backs.count()})
    backs.filter(done_at__isnull=True).update(done_at=now, done_by=ERASED)
    backs.update(number="")
    return +found


def _scrub(facts: Iterable[Event], numbers: Collection[str]) -> int:
    changed = []
    for fact in facts:
        clean = scrub(fact.body, numbers)
        if clean != fact.body:
            fact.body = clean
            changed.append(fact)
    Event.objects.bulk_update(changed, ["body"], batch_size=500)
    return len(changed)


def _scrub_evidence(call_id: str, numbers: Collection[str]) -> None:
    for row in Evidence.objects.filter(attempt__call=call_id):
        clean = scrub(row.detail, numbers)
        if clean != row.detail:
            Evidence.objects.filter(pk=row.pk).update(detail=clean)
