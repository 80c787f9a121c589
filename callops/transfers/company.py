"""What the assistant is told while a caller waits with it: keep them company, and in the end how it went.

Told once each, by whoever wins the claim; a note that gets lost harms nothing, the transfer goes its way without it
(contract OpenAI 4.7, and 5.1 point 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane, Session
from callops.calls.words import State as CallState
from callops.core.prepared import Prepared
from callops.transfers import evidence
from callops.transfers.held import Held
from callops.transfers.models import Company, Outcome, State, TransferAttempt

NOTE_IDS = {Company.WAITING: "note-", Company.OVER: "over-"}
"""How the ids of our notes begin; OpenAI's own items have other ids, of at most 32 characters."""
GO_ON = "Tell the caller so in one short sentence, and go on helping them yourself."
ENDED = {
    Outcome.CANCELLED: "The transfer to {label} was cancelled.",
    Outcome.UNKNOWN: "The transfer to {label} could not be confirmed; nobody has taken the call so far.",
    Outcome.NO_ANSWER: "Nobody could take the call. {why}",
    Outcome.BUSY: "Nobody could take the call. {why}",
    Outcome.FAILED: "Nobody could take the call. {why}",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One system item for the assistant of a call; `speak`: it is asked to say something afterwards."""

    call_id: str
    item_id: str
    words: str
    speak: bool


def waiting_words(label: str) -> str:
    """What the assistant is told when a transfer begins."""
    return (
        f"The caller is now being connected to {label}. If you have not told them yet, say so in one short sentence. "
        "While they wait with you, keep them company and answer what they ask, but promise nothing and start no new "
        "topic. Once you have said the sentence that hands them over, do not chat on: speak only when they speak."
    )


def over_words(outcome: str, label: str, why: str) -> str:
    """What the assistant is told when the caller stayed with it; empty when there is nothing to tell.

    `why`: whom the transfer rang in vain, and how each of them ended.
    """
    words = ENDED.get(Outcome(outcome))
    return f"{words.format(label=label, why=why)} {GO_ON}" if words else ""


@transaction.atomic
def claim_waiting(attempt_id: str, *, speak: bool, now: datetime) -> Note | None:
    """The right to tell the assistant that the caller waits, once, if it is there; the telling is on the timeline."""
    held = evidence.hold(attempt_id)
    attempt = held.attempt
    there = attempt.call.ai_session == Session.OPEN
    if attempt.company != Company.NONE or attempt.state == State.SETTLED or not there:
        return None
    return _noted(held, Company.WAITING, waiting_words(attempt.target_label), speak=speak, now=now)


@transaction.atomic
def claim_over(attempt_id: str, *, now: datetime) -> Note | None:
    """The right to tell the assistant how it ended, once; None when the caller is not with that assistant any more."""
    held = evidence.hold(attempt_id)
    attempt = held.attempt
    if attempt.company != Company.WAITING or attempt.state != State.SETTLED:
        return None
    words = over_words(attempt.outcome, attempt.target_label, evidence.why_nobody_came(held))
    if not words or not _is_still_there(attempt):
        attempt.company = Company.OVER
        held.save()
        return None
    return _noted(held, Company.OVER, words, speak=True, now=now)


def untold_ends() -> list[str]:
    """Transfers that are settled and whose assistant still thinks that the caller waits."""
    return [pk for (pk,) in _UNTOLD()]


_UNTOLD = Prepared(
    lambda: TransferAttempt.objects.filter(company=Company.WAITING, state=State.SETTLED).values_list("pk")[:100]
)


def _is_still_there(attempt: TransferAttempt) -> bool:
    """Whether the caller never left: a redirect that took effect ended that assistant's leg (contract Twilio 3.2)."""
    call = attempt.call
    return call.state == CallState.LIVE and call.ai_session == Session.OPEN and attempt.document_fetched_at is None


def _noted(held: Held, about: Company, words: str, *, speak: bool, now: datetime) -> Note:
    attempt = held.attempt
    attempt.company = about
    held.save()
    note = Note(attempt.call_id, f"{NOTE_IDS[about]}{attempt.pk}", words, speak)
    body = {"about": about, "words": words, "label": attempt.target_label, "transfer": attempt.pk, "speak": speak}
    timeline.note(
        attempt.call, at=now, kind=Kind.US_TOLD_ASSISTANT, lane=Lane.US, body={**body, "item_id": note.item_id}
    )
    return note
