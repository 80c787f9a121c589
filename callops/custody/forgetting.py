"""What was said on a call is gone, and the call's skeleton stays: times, legs, states, transfers and their proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from django.db.models import QuerySet

from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.sideband.models import AiSession, FrameBatch, Turn
from callops.supervision.models import Intervention
from callops.transfers.models import Approval, TransferAttempt

GONE = "no longer kept"
_SAID: Final[dict[str, tuple[str, ...]]] = {
    Kind.OPENAI_TURN: ("text",),
    Kind.OPENAI_DTMF: ("key",),
    Kind.OPENAI_TOOL_CALL: ("arguments",),
    Kind.OPENAI_SUMMARY: ("text",),
    Kind.OPENAI_GARBAGE: ("sample",),
    Kind.US_TOOL_ANSWERED: ("output",),
    Kind.CLOCK_SAID_NOT_DONE: ("said",),
    Kind.OPERATOR_TRANSFER_ASKED: ("reason", "summary"),
    Kind.OPERATOR_WHISPERED: ("text",),
    Kind.OPERATOR_MARKED: ("text",),
    Kind.OPERATOR_SAID: ("text",),
}
"""The facts that hold what was said, and where in their bodies."""


def frames(calls: Collection[str]) -> Counter[str]:
    """No frame of these calls is kept any more; what was deleted."""
    count, _ = FrameBatch.objects.filter(session__in=AiSession.objects.filter(call__in=calls)).delete()
    return Counter({"batches of frames": count} if count else {})


def words(calls: Collection[str]) -> Counter[str]:
    """Nothing that was said on these calls is kept any more, in no frame either; what was deleted or blanked."""
    found = frames(calls)
    found["lines of transcript"], _ = Turn.objects.filter(call__in=calls).delete()
    found["facts"] = _blank(Event.objects.filter(call__in=calls, kind__in=_SAID).order_by("pk"))
    found["words of supervisors"] = Intervention.objects.filter(call__in=calls).exclude(text="").update(text=GONE)
    told = TransferAttempt.objects.filter(call__in=calls)
    asked = Approval.objects.filter(call__in=calls)
    found["summaries"] = sum(rows.exclude(summary="").update(summary=GONE) for rows in (told, asked))
    found["reasons"] = told.exclude(reason="").update(reason=GONE)
    return +found


def _blank(facts: QuerySet[Event]) -> int:
    changed = []
    for fact in facts.iterator(chunk_size=500):
        words = [place for place in _SAID[fact.kind] if fact.body.get(place) not in (None, "", GONE)]
        if words:
            fact.body = {**fact.body, **dict.fromkeys(words, GONE)}
            changed.append(fact)
    Event.objects.bulk_update(changed, ["body"], batch_size=500)
    return len(changed)
