"""How the line of a live call is at one moment: what stands with its AI session, judged by the clock. One query."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import F, FilteredRelation, Q, QuerySet

from callops.calls.words import Session, State
from callops.sideband import quiet
from callops.sideband.models import SESSION_LASTS, AiSession
from callops.sideband.promises import PATIENCE
from callops.sideband.quiet import Silence

NEARLY_OVER = timedelta(minutes=5)
FIELDS = ("opened_at", "silence", "silent_since", "promised_item", "promised_from", "promised_at")
BESIDE = tuple(f"talking__{name}" for name in FIELDS)
"""The same as columns of calls (`beside`)."""

Calls = TypeVar("Calls", bound=QuerySet[Any, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is kept of a live call's session; the same until the next batch of frames."""

    opened_at: datetime
    silence: str = ""
    silent_since: datetime | None = None
    promised_item: str = ""
    promised_from: datetime | None = None
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the line is at one moment; nothing in it, and all is well."""

    silence: Silence | None = None
    silent_since: datetime | None = None
    minutes_left: int | None = None
    """Whole minutes until OpenAI ends the session, once there are five or fewer."""
    promised_item: str = ""
    promised_from: datetime | None = None
    """When the assistant began to say that it transfers, once a transfer should have been asked for."""

    def is_broken(self, *, asked_at: datetime | None, settled_at: datetime | None, is_open: bool) -> bool:
        """Whether the promise was not kept, given the call's last transfer: none is open, none was asked for since."""
        if self.promised_from is None or is_open:
            return False
        return all(moment is None or moment < self.promised_from for moment in (asked_at, settled_at))


WELL = Standing()


def standing(glance: Glance | None, now: datetime) -> Standing:
    """The line as it is now; `WELL` for a call that is not live with an assistant. Pure."""
    if glance is None:
        return WELL
    hush = quiet.judge(glance, now)
    due = glance.promised_at is not None and glance.promised_at + PATIENCE <= now
    left = glance.opened_at + SESSION_LASTS - now
    if hush is None and not due and left > NEARLY_OVER:
        return WELL
    return Standing(
        silence=hush.whose if hush else None,
        silent_since=hush.since if hush else None,
        minutes_left=max(0, math.ceil(left.total_seconds() / 60)) if left <= NEARLY_OVER else None,
        promised_item=glance.promised_item if due else "",
        promised_from=glance.promised_from if due else None,
    )


def talking() -> QuerySet[AiSession]:
    """The sessions of live calls that talk with an assistant, whom nobody has asked to end."""
    return AiSession.objects.filter(
        ai_call_id=F("call__ai_call_id"),
        opened_at__isnull=False,
        closed_at__isnull=True,
        call__state=State.LIVE,
        call__ai_session=Session.OPEN,
        call__end_wish="",
    )


def glances(only: Collection[str] | None = None) -> dict[str, Glance]:
    """What is kept of every live call that talks with an assistant, by call; `only` of these when given. One query."""
    sessions = talking() if only is None else talking().filter(call__in=list(only))
    rows = sessions.values("call_id", *FIELDS)
    return {row["call_id"]: Glance(**{name: row[name] for name in FIELDS}) for row in rows}


def beside(calls: Calls) -> Calls:
    """The calls with what is kept of those that talk with an assistant, in the columns `BESIDE` (`of_columns`).

    The same sessions as `talking`, for who reads the calls anyway.
    """
    unfinished = Q(sessions__opened_at__isnull=False, sessions__closed_at__isnull=True)
    live = Q(state=State.LIVE, ai_session=Session.OPEN, end_wish="")
    session = Q(sessions__ai_call_id=F("ai_call_id")) & unfinished & live
    return calls.annotate(talking=FilteredRelation("sessions", condition=session))


def of_columns(values: Sequence[Any]) -> Glance | None:
    """What stands in the columns `BESIDE` of a call; None for one that does not talk with an assistant. Pure."""
    return None if values[0] is None else Glance(**dict(zip(FIELDS, values, strict=True)))
