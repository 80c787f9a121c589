"""What the carrier's own requests say of a transfer: it reported the REFER, fetched the document, rang and bridged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from callops.calls.models import Call, Event
from callops.transfers import evidence
from callops.transfers.models import Mechanism, Outcome, State, TransferAttempt
from callops.transfers.verdict import FactKind

CLOCKS_DIFFER = timedelta(seconds=2)
"""How far the carrier's clock may be from ours."""
IN_VAIN = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED})


def open_transfer(call_id: str) -> TransferAttempt | None:
    """The open transfer of a call, locked for the rest of the transaction."""
    return TransferAttempt.objects.select_for_update().open().filter(call_id=call_id).first()


def last_transfer(call_id: str) -> TransferAttempt | None:
    """The newest transfer of a call, locked for the rest of the transaction."""
    return TransferAttempt.objects.select_for_update().filter(call_id=call_id).order_by("-id").first()


def newer_transfer(attempt: TransferAttempt) -> TransferAttempt | None:
    """A later transfer of the same call that is still open: it takes the caller from this one's human."""
    return TransferAttempt.objects.open().filter(call_id=attempt.call_id, id__gt=attempt.pk).first()


def last_connected(call: Call) -> bool:
    """Whether the newest transfer reached a human who is not known to have hung up."""
    newest = TransferAttempt.objects.filter(call=call).order_by("-id").first()
    return newest is not None and newest.outcome == Outcome.CONNECTED and not call.end_wish


def last_in_vain(call: Call) -> TransferAttempt | None:
    """The newest transfer, if it is settled that none of its destinations took the caller."""
    newest = TransferAttempt.objects.filter(call=call).order_by("-id").first()
    return newest if newest is not None and newest.outcome in IN_VAIN else None


def is_wanted(attempt: TransferAttempt) -> bool:
    """Whether a caller who arrives now should still be sent to the human: open, or settled without an answer yet."""
    return attempt.state != State.SETTLED or attempt.outcome == Outcome.UNKNOWN


@transaction.atomic
def refer_seen(attempt: TransferAttempt, *, at: datetime, event: Event, target: str) -> TransferAttempt:
    """The carrier reported the REFER: the watchdog is off in the same lock (contract Twilio 2.3, 3.3)."""
    TransferAttempt.objects.filter(pk=attempt.pk, refer_seen_at__isnull=True).update(refer_seen_at=at)
    return evidence.add(attempt.pk, FactKind.REFER_SEEN, at=at, event=event, detail={"target": target})


def last_referred(call_id: str, *, by: datetime | None = None) -> TransferAttempt | None:
    """The newest transfer of a call that asked for a REFER, if possible by this time of the carrier's clock."""
    referred = TransferAttempt.objects.filter(call_id=call_id, refer_asked_at__isnull=False).order_by("-id")
    before = referred.filter(refer_asked_at__lte=by + CLOCKS_DIFFER) if by else referred
    return before.first() or referred.first()


@transaction.atomic
def refer_refused(
    call_id: str, *, at: datetime, event: Event, code: int, raised_at: datetime | None
) -> TransferAttempt | None:
    """The carrier said that a REFER arrived and was ignored or refused: nobody waits for it any longer.

    None when no transfer of this call asked for one (contract Twilio 5: alerts 13802 and 32218, seconds late).
    """
    attempt = last_referred(call_id, by=raised_at)
    if attempt is None:
        return None
    TransferAttempt.objects.open().filter(pk=attempt.pk).update(due_at=at)
    return evidence.add(attempt.pk, FactKind.REFER_REFUSED, at=at, event=event, detail={"code": code})


@transaction.atomic
def document_fetched(attempt: TransferAttempt, *, at: datetime, event: Event, via: Mechanism) -> TransferAttempt:
    """The carrier took the transfer document: from now on no redirect is sent any more."""
    TransferAttempt.objects.filter(pk=attempt.pk, document_fetched_at__isnull=True).update(document_fetched_at=at)
    return evidence.add(attempt.pk, FactKind.DOCUMENT_FETCHED, at=at, event=event, detail={"via": via})


def human_said(
    attempt: TransferAttempt, kind: FactKind, *, at: datetime, event: Event, detail: Mapping[str, Any]
) -> TransferAttempt:
    """The human's leg rang, was bridged, or its dial ended."""
    return evidence.add(attempt.pk, kind, at=at, event=event, detail=detail)


@transaction.atomic
def caller_left(call_id: str, *, at: datetime, event: Event) -> None:
    """The caller hung up while a transfer was open: it settles as such."""
    Call.objects.select_for_update().get(pk=call_id)
    attempt = open_transfer(call_id)
    if attempt is not None:
        evidence.add(attempt.pk, FactKind.CALLER_LEFT, at=at, event=event)
