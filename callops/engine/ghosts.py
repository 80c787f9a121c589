"""Sessions nobody is on: the caller left while the AI was being reached, and no event said so (contract OpenAI 1.5).

A watchdog never ends a live call: speech, keys, tools at work and the assistant's own playback are signs of life, and
so is a caller's leg that the carrier has up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Leg
from callops.calls.words import Lane, Role
from callops.core.config import config
from callops.core.database import in_db
from callops.core.prepared import Asked, Prepared
from callops.engine.outside import Outside
from callops.sideband.models import AiSession

WORK_MAY_TAKE = timedelta(minutes=5)
"""A playback or a tool that nothing was heard of for so long is no sign of life any more."""


def wanted(now: datetime) -> list[int]:
    """Accepted sessions without a caller's leg, on which nobody ever spoke and nothing lives any more."""
    found = _SILENT(quiet_since=now - _after(), at_work_since=now - WORK_MAY_TAKE)
    return sorted(pk for (pk,) in found)[:100]


def _silent() -> QuerySet[Any, Any]:
    """In no order: what keeps them in that of their keys reads all sessions there ever were."""
    up = Leg.objects.filter(call=OuterRef("call"), role=Role.CALLER, ended_at__isnull=True)
    silent = AiSession.objects.filter(closed_at__isnull=True, heard_at__isnull=True, ghost_at__isnull=True)
    quiet_since = Greatest("accepted_at", Coalesce(F("life_at"), F("accepted_at")))
    rows = silent.annotate(quiet_since=quiet_since).filter(quiet_since__lte=Asked("quiet_since"))
    at_work = Q(busy=True, life_at__gt=Asked("at_work_since"))
    return rows.exclude(at_work).exclude(Exists(up)).order_by().values_list("pk")


_SILENT = Prepared(_silent)


async def end(outside: Outside, session_id: int, *, clock: Callable[[], datetime]) -> None:
    """The session is known for a ghost, once, and OpenAI was asked to end it."""
    ai_call_id = await in_db(_claim)(session_id, clock())
    if ai_call_id:
        await outside.hang_up_ai(ai_call_id)


@transaction.atomic
def _claim(session_id: int, now: datetime) -> str | None:
    if AiSession.objects.filter(pk=session_id, ghost_at__isnull=True).update(ghost_at=now) != 1:
        return None
    session = AiSession.objects.select_related("call").get(pk=session_id)
    left = {} if session.call.caller_left_at else {"caller_left_at": now}
    intake.record(
        session.call_id,
        at=now,
        kind=Kind.OPENAI_GHOST,
        lane=Lane.US,
        body={"after_s": config().ghost_after_s, "call_id": session.ai_call_id},
        changes=left,
    )
    return session.ai_call_id


def _after() -> timedelta:
    return timedelta(seconds=config().ghost_after_s)
