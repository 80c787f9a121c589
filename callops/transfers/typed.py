"""Who may send callers where, how often, and when a second person has to agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination
from callops.calls.words import Lane
from callops.core.config import config
from callops.core.ids import new_id
from callops.core.prepared import Asked, Prepared
from callops.core.text import storable
from callops.transfers import tolls
from callops.transfers.models import Approval, TransferAttempt
from callops.transfers.tolls import Allowed

HOUR = timedelta(hours=1)


class TooOften(Exception):
    """The person has asked for as many transfers as one may in an hour; `retry_s` is when the next is possible."""

    def __init__(self, asked: int, retry_s: int) -> None:
        minutes = max(1, round(retry_s / 60))
        super().__init__(f"You asked for {asked} transfers within an hour, as many as one may. Try in {minutes} min.")
        self.retry_s = retry_s


class ApprovalWanted(Exception):
    """A second person has to approve this one; `approval` waits for them."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(
            f"Sending a caller to {approval.uri} needs a second person's approval now. They see it on this call's page "
            f"for {Approval.GOOD_FOR_S:g} s."
        )
        self.approval = approval


class ApprovalGone(Exception):
    """The wish cannot be decided any more; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A typed address and all that is needed to ask for it again once it is approved."""

    uri: str
    by: str
    policy: str = ""
    key: str | None = None
    summary: str = ""
    approved: bool = False


def allowed() -> Allowed:
    """What may be typed here."""
    return Allowed(config().typed_countries, config().typed_sip_domains)


def check_rate(by: str, *, now: datetime) -> None:
    """Nothing when the person may ask for one more transfer. Raises `TooOften`."""
    limit = config().transfers_an_hour
    who = {"by": by, "since": now - HOUR}
    if limit > 0 and not _times(limit - 1, limit)(**who):  # the one that would make it too many: no other is read
        return
    asked = [at for (at,) in _times(0, limit + 1)(**who)]
    raise TooOften(len(asked), max(1, round((asked[limit - 1] + HOUR - now).total_seconds())))


@lru_cache(maxsize=8)
def _times(start: int, end: int) -> Prepared:
    """When the person asked for transfers lately, newest first, from the first to the last of these."""

    def write() -> QuerySet[TransferAttempt, Any]:
        recent = TransferAttempt.objects.filter(requested_by=Asked("by"), requested_at__gt=Asked("since"))
        return recent.order_by("-requested_at").values_list("requested_at")[start:end]

    return Prepared(write)


def target(call: Call, wish: Wish, *, now: datetime) -> Destination | Approval:
    """The typed address as a destination of its own, or the approval it needs first. Raises `TollRefused`."""
    tolls.check(wish.uri, allowed())
    if not wish.approved and _typed_lately(wish.by, now) >= config().typed_alone_an_hour:
        return _ask(call, wish, now)
    return Destination(name="", label=wish.uri.partition(":")[2], uri=wish.uri)


def open_approvals(call: Call, *, now: datetime) -> list[Approval]:
    """What waits for a second person on this call, oldest first."""
    waiting = Approval.objects.filter(call=call, decided_at__isnull=True).order_by("pk")
    return [each for each in waiting if each.is_open(now)]


@transaction.atomic
def decide(approval_id: str, *, by: str, now: datetime, agreed: bool) -> Approval:
    """The wish is decided once, by somebody else than who asked. Raises `ApprovalGone`."""
    row = Approval.objects.select_for_update().select_related("call").filter(pk=approval_id).first()
    if row is None or not row.is_open(now):
        raise ApprovalGone("This wish was decided already, or waited too long. Ask again.")
    if row.asked_by == by:
        raise ApprovalGone("A second person has to decide this: you asked for it.")
    row.decided_by, row.decided_at = by, now
    row.save(update_fields=["decided_by", "decided_at"])
    kind = Kind.OPERATOR_APPROVED if agreed else Kind.OPERATOR_DECLINED
    body = {"by": by, "asked_by": row.asked_by, "uri": row.uri}
    timeline.note(row.call, at=now, kind=kind, lane=Lane.OPERATOR, body=body)
    return row


def _typed_lately(by: str, now: datetime) -> int:
    typed = TransferAttempt.objects.filter(requested_by=by, requested_at__gt=now - HOUR, destination__isnull=True)
    return typed.exclude(target_uri__in=Destination.objects.values("uri")).count()


def _ask(call: Call, wish: Wish, now: datetime) -> Approval:
    """The wish waits for a second person; asking again with the same key is the same wish."""
    if wish.key and (known := Approval.objects.filter(call=call, key=wish.key).first()):
        return known
    body = {"by": wish.by, "uri": wish.uri}
    timeline.note(call, at=now, kind=Kind.OPERATOR_APPROVAL_ASKED, lane=Lane.OPERATOR, body=body)
    return Approval.objects.create(
        id=new_id(now),
        call=call,
        key=wish.key,
        uri=wish.uri,
        policy=wish.policy,
        summary=storable(wish.summary),
        asked_by=wish.by,
        asked_at=now,
    )
