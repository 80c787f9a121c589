"""What a transfer asks of the AI beside the conversation: a sentence for the person who is to take the call.

It is claimed by compare-and-set before anything is sent (design.md, laws 1 and 5); a summary that never comes costs
the caller no more than `strategies.SUMMARY_WAIT_S`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane, Session
from callops.core.text import storable
from callops.transfers import evidence
from callops.transfers.destinations import chain
from callops.transfers.held import Held
from callops.transfers.models import TransferAttempt

MAX_SUMMARY = 500


def summary_is_wanted(attempt: TransferAttempt) -> bool:
    """Whether somebody will be asked to press 1 who has nothing to go by yet, and the AI is there to be asked."""
    if attempt.summary or attempt.call.ai_session != Session.OPEN:
        return False
    return attempt.summary_asked_at is not None or any(target.screened for target in chain(attempt))


@transaction.atomic(savepoint=False)
def claim_summary(of: str | Held, *, now: datetime) -> str | None:
    """The right to ask the AI for its summary, once; the call whose session is to be asked."""
    held = evidence.hold(of)
    attempt = held.attempt
    if not attempt.is_open or attempt.summary or attempt.summary_asked_at:
        return None
    attempt.summary_asked_at = now
    held.save()
    timeline.note(attempt.call, at=now, kind=Kind.US_SUMMARY_ASKED, lane=Lane.US, body={"transfer": attempt.pk})
    return attempt.call_id


@transaction.atomic
def summarised(attempt_id: str, *, call_id: str, text: str, now: datetime) -> None:
    """The AI's sentence is the transfer's summary and on the timeline once; whoever waited for it goes on at once.

    The name of the transfer comes back from outside: one of another call, or one that has its summary, is left alone.
    """
    words = " ".join(storable(text).split())[:MAX_SUMMARY]
    mine = TransferAttempt.objects.filter(pk=attempt_id, call_id=call_id, summary="", summary_asked_at__isnull=False)
    if not words or not mine.exists():
        return
    attempt = evidence.locked(attempt_id)
    if mine.update(summary=words) != 1:
        return
    body = {"text": words, "transfer": attempt.pk}
    timeline.note(attempt.call, at=now, kind=Kind.OPENAI_SUMMARY, lane=Lane.OPENAI, body=body)
    TransferAttempt.objects.open().filter(pk=attempt_id, redirect_asked_at__isnull=True).update(due_at=now)
