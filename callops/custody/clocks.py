"""How long things are kept: a clock for transcripts, one for frames, one for the audit, each off unless it is set.

Frames hold what was said too, so they never outlive the transcript. A call on hold, and one that is not over, is left;
of the audit what is about a call on hold, and all after it. Bundles and reports are made when they are asked for and
never stored, so they need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from callops.audit import chain
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, MergedCall
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane
from callops.core import beats
from callops.core.config import config
from callops.custody import forgetting
from callops.custody.models import Hold
from callops.people import sessions
from callops.sideband.models import FrameBatch, Turn

TURN = "custody"
EVERY = timedelta(minutes=10)
AT_ONCE = 50
"""Calls one pass forgets, so that nobody waits for it long."""


def run_in_turn(now: datetime) -> Counter[str]:
    """One pass of the clocks, by one process every ten minutes; what it deleted."""
    return run(now) if beats.take_turn(TURN, now, every=EVERY) else Counter()


def run(now: datetime, *, at_once: int = AT_ONCE) -> Counter[str]:
    """The oldest calls whose time has come, `at_once` of each kind at most, are forgotten; what was deleted."""
    settings = config()
    done: Counter[str] = Counter()
    if settings.keep_transcripts_days:
        due = _due(Turn.objects.values("call"), "call", now - timedelta(days=settings.keep_transcripts_days), at_once)
        done += _forget(due, forgetting.words, what="transcript", days=settings.keep_transcripts_days, now=now)
    if days := _days_of_frames():
        due = _due(FrameBatch.objects.values("session__call"), "session__call", now - timedelta(days=days), at_once)
        done += _forget(due, forgetting.frames, what="frames", days=days, now=now)
    if settings.keep_audit_days:
        before = now - timedelta(days=settings.keep_audit_days)
        gone = chain.forget(before, held=_names_of_held(), now=now)
        done += Counter({"entries of the audit": gone} if gone else {})
    if gone := sessions.forget_run_out(now):
        done["sessions that ran out"] += gone
    return done


def _names_of_held() -> list[str]:
    """The ids of the calls on hold, and those that halves of them had before they were joined."""
    held = list(Hold.objects.standing().values_list("call_id", flat=True))
    return [*held, *MergedCall.objects.filter(call__in=held).values_list("former_id", flat=True)]


def _days_of_frames() -> int:
    settings = config()
    return min((days for days in (settings.keep_frames_days, settings.keep_transcripts_days) if days), default=0)


def _due(rows: QuerySet, call: str, before: datetime, at_once: int) -> list[str]:  # type: ignore[type-arg]
    """Calls that ended before that moment, are not on hold and still have such rows, oldest first."""
    held = Hold.objects.standing().filter(call=OuterRef("pk"))
    calls = Call.objects.filter(Exists(rows.filter(**{call: OuterRef("pk")})), ~Exists(held), ended_at__lt=before)
    return list(calls.order_by("pk").values_list("pk", flat=True)[:at_once])


def _forget(
    calls: Collection[str], forget: Callable[[Collection[str]], Counter[str]], *, what: str, days: int, now: datetime
) -> Counter[str]:
    done: Counter[str] = Counter()
    for call in calls:
        with transaction.atomic():
            fact = NewEvent(at=now, kind=Kind.CLOCK_FORGOTTEN, lane=Lane.US, body={"what": what, "days": days})
            done += forget([call])
            timeline.append_many(call, [fact])
    return done + Counter({f"calls without {what}": len(calls)})
