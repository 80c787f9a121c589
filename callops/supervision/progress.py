"""How far an act got: claimed before it is handed over, moved forward by what the assistant's side answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import Q

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane
from callops.core.notify import call_changed
from callops.core.prepared import Asked, Literal, Prepared
from callops.supervision.commands import refusal
from callops.supervision.models import Act, Intervention, Step

TAKE_BY = timedelta(seconds=12)
ANSWER_BY = timedelta(seconds=12)
KINDS = {
    Step.ACKNOWLEDGED: Kind.OPENAI_ACT_ACKNOWLEDGED,
    Step.SEEN: Kind.OPENAI_ACT_SEEN,
    Step.REFUSED: Kind.OPENAI_ACT_REFUSED,
    Step.LOST: Kind.US_ACT_LOST,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a frame says about an act: named by its id, or (blank id) whichever acts of a kind were sent before `at`."""

    step: Step
    act_id: str = ""
    act: Act | None = None
    why: str = ""
    at: datetime | None = None


def waiting(session_ids: Collection[int]) -> list[tuple[int, str]]:
    """Acts that nobody handed over yet, with the session to hand them to; in the order they were asked."""
    asked_now = _ASKED_NOW()  # few: what nobody takes is refused after some seconds
    mine = [(session_id, act_id) for session_id, act_id in asked_now if session_id in session_ids]
    return sorted(mine, key=itemgetter(1))[:100]


def asked(act_id: str) -> Act | None:
    """What is wished, as long as nobody handed it over."""
    wish = Intervention.objects.filter(pk=act_id, step=Step.ASKED).values_list("act", flat=True).first()
    return Act(wish) if wish else None


@transaction.atomic
def claim(act_id: str, *, now: datetime) -> Intervention | None:
    """The right to hand the act over, once; None when somebody has it, or the conversation does not stand so."""
    row = Intervention.objects.select_related("call").get(pk=act_id)
    if why := refusal(row.call):
        _move(row, Step.REFUSED, now, why)
        return None
    if not Intervention.objects.move(act_id, Step.SENT, at=now):
        return None
    call_changed(row.call_id)
    return row


@transaction.atomic
def tell(session_id: int, told: Sequence[Told], *, now: datetime) -> None:
    """What a session's frames said is on the acts of its call and, for each step taken, once on the timeline."""
    rows = list(Intervention.objects.filter(call__sessions=session_id).select_related("call").order_by("pk"))
    for each in told:
        for row in rows:
            if _is_about(each, row):
                _move(row, each.step, now, each.why)


def give_up(now: datetime) -> None:
    """Acts that nobody could hand over are refused; those handed over and never answered are not known."""
    if _ANY_LATE(untaken=now - TAKE_BY, unanswered=now - ANSWER_BY):
        _give_up(now)


@transaction.atomic
def _give_up(now: datetime) -> None:
    late = Intervention.objects.select_related("call")
    for row in late.filter(_untaken(now - TAKE_BY))[:100]:
        _move(row, Step.REFUSED, now, refusal(row.call) or "It could not be handed to the assistant in 12 s.")
    for row in late.filter(_unanswered(now - ANSWER_BY))[:100]:
        _move(row, Step.LOST, now, "It was handed over, and the assistant's side did not answer in 12 s.")


@transaction.atomic
def refuse(act_id: str, why: str, *, now: datetime) -> None:
    """The act was not done, for this reason."""
    _move(Intervention.objects.select_related("call").get(pk=act_id), Step.REFUSED, now, why)


def _is_about(told: Told, row: Intervention) -> bool:
    if told.act_id:
        return row.pk == told.act_id
    before = row.sent_at is not None and told.at is not None and row.sent_at <= told.at
    return before and row.act == told.act


def _move(row: Intervention, step: Step, now: datetime, why: str) -> None:
    if Intervention.objects.move(row.pk, step, at=now, why=why):
        body = {"act": row.act, "by": row.by, "intervention": row.pk, **({"why": why} if why else {})}
        lane = Lane.US if step == Step.LOST else Lane.OPENAI
        timeline.note(row.call, at=now, kind=KINDS[step], lane=lane, body=body)


def _untaken(before: Any) -> Q:
    return Q(step=Step.ASKED, asked_at__lte=before)


def _unanswered(before: Any) -> Q:
    return Q(step=Step.SENT, sent_at__lte=before)


_UNDER_WAY = Intervention.objects.filter(step__in=[Literal(Step.ASKED), Literal(Step.SENT)]).order_by()
"""As their index says it, and in no order: those of the past are not read."""
_ASKED_NOW = Prepared(
    lambda: _UNDER_WAY.filter(step=Step.ASKED, call__sessions__isnull=False).values_list("call__sessions", "pk")
)
_ANY_LATE = Prepared(
    lambda: _UNDER_WAY.filter(_untaken(Asked("untaken")) | _unanswered(Asked("unanswered"))).values_list("pk")[:1]
)
