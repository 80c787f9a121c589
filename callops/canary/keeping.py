"""Rounds begin when they are due, find their call, ask for the transfer, and end with it hung up. All by rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from callops.calls.commands import AlreadyOver, hang_up
from callops.calls.models import Call
from callops.calls.words import Session, State
from callops.canary.deciding import Known, Next, decide
from callops.canary.models import Canary, Result, Round
from callops.core import beats
from callops.core.ids import first_id
from callops.core.prepared import Prepared
from callops.transfers.commands import CANARY, AnotherOpen, NotTransferable, TargetRefused, request_transfer
from callops.transfers.models import State as Stage
from callops.transfers.models import TransferAttempt

TURN: Final = "canary"
EVERY: Final = timedelta(seconds=1)
CLOCKS_DIFFER: Final = timedelta(seconds=2)
ROUNDS_KEPT: Final = timedelta(days=90)


def look_in_turn(now: datetime) -> list[Round]:
    """Open rounds went on, and those that were due began: these have to be placed. One process at a time looks."""
    if not beats.take_turn(TURN, now, every=EVERY):
        return []
    if under_way := [pk for (pk,) in _UNDER_WAY()]:
        rounds = Round.objects.filter(pk__in=under_way, ended_at__isnull=True)
        for each in rounds.select_related("canary__destination", "call", "attempt"):
            _go_on(each, now)
    return [begun for canary in _due(now) if (begun := _begin(canary, now))]


def not_placed(round_id: int, because: str, now: datetime) -> None:
    """Twilio did not take the call: the round is over."""
    _end(Round.objects.get(pk=round_id), Result.NOT_PLACED, because, now)


def _due(now: datetime) -> list[Canary]:
    """Canaries whose next round may begin: none is under way, and no person's transfer on that line is."""
    if not _ANY_ON():
        return []
    on = Canary.objects.filter(is_on=True).exclude(rounds__ended_at__isnull=True, rounds__isnull=False)
    seen = on.annotate(last=Max("rounds__asked_at")).select_related("line", "destination")
    due = [each for each in seen if each.last is None or each.last + each.every <= now]
    if not due:
        return []
    busy = set(TransferAttempt.objects.open().values_list("call__line", flat=True))
    return [each for each in due if each.line_id not in busy]


_UNDER_WAY = Prepared(lambda: Round.objects.filter(ended_at__isnull=True).values_list("pk"))
_ANY_ON = Prepared(lambda: Canary.objects.filter(is_on=True).order_by().values_list("pk")[:1])


def _begin(canary: Canary, now: datetime) -> Round | None:
    """The round, unless another process was first; rounds older than `ROUNDS_KEPT` are forgotten."""
    Round.objects.filter(canary=canary, asked_at__lt=now - ROUNDS_KEPT).delete()
    try:
        with transaction.atomic():
            return Round.objects.create(canary=canary, asked_at=now)
    except IntegrityError:
        return None


@transaction.atomic
def _go_on(each: Round, now: datetime) -> None:
    if each.call is None:
        each.call = _arrived(each)
        each.save(update_fields=["call"])
    step, result = decide(_known(each), now)
    if step is Next.TRANSFER and each.call is not None:
        if refused := _transfer(each, each.call, now):
            _end(each, Result.REFUSED, refused, now)
    elif step is Next.END:
        _end(each, result, each.attempt.because[:300] if each.attempt else "", now)


def _arrived(each: Round) -> Call | None:
    """The call that rang at the line from the canary's number after it was asked for."""
    since = first_id(each.asked_at - CLOCKS_DIFFER)
    rang = Call.objects.filter(line=each.canary.line_id, from_number=each.canary.from_number, pk__gte=since)
    return rang.order_by("pk").first()


def _known(each: Round) -> Known:
    call, attempt = each.call, each.attempt
    return Known(
        asked_at=each.asked_at,
        longest=timedelta(seconds=each.canary.longest_s),
        has_call=call is not None,
        is_over=call is not None and call.is_over,
        may_transfer=call is not None and call.state == State.LIVE and call.ai_session == Session.OPEN,
        has_attempt=attempt is not None,
        is_settled=attempt is not None and attempt.state == Stage.SETTLED,
    )


def _transfer(each: Round, call: Call, now: datetime) -> str:
    """The transfer is asked for, once; why it could not be, or nothing."""
    try:
        with transaction.atomic():
            each.attempt = request_transfer(
                call=call,
                destination=each.canary.destination,
                asked_by=CANARY,
                now=now,
                key=f"canary-{each.pk}",
                reason="A scheduled test.",
            )
    except (AnotherOpen, NotTransferable, TargetRefused) as error:
        return str(error)
    each.save(update_fields=["attempt"])
    return ""


def _end(each: Round, result: Result, because: str, now: datetime) -> None:
    """The round is over with this result, and its call is hung up."""
    Round.objects.filter(pk=each.pk, ended_at__isnull=True).update(result=result, because=because[:300], ended_at=now)
    if each.call is not None and not each.call.is_over:
        try:
            hang_up(call=each.call, asked_by=CANARY, now=now)
        except AlreadyOver:
            return
