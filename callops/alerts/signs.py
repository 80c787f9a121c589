"""Reading the signs of life, and the traffic that makes them expected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Func, IntegerField, Min, Q, QuerySet, Subquery

from callops.alerts.alarms import CALLBACK_IS_DUE, CALLBACKS_REST, DIALS, Signs, Traffic
from callops.alerts.rules import QUIET
from callops.calls.models import Call
from callops.calls.words import State, Topology
from callops.core.beats import ENGINE, ENGINE_LIVES, OPENAI_WEBHOOK, TWILIO_REQUEST
from callops.core.models import Beat
from callops.sideband.models import AiSession

UNFINISHED = [state for state in State if state != State.ENDED]


def read(now: datetime) -> Signs:
    """The signs as they are now. One query; before the first beat of all there is nothing to see."""
    wanted = AiSession.objects.filter(accepted_at__isnull=False, closed_at__isnull=True)
    rows = Beat.objects.filter(Q(name__in=[OPENAI_WEBHOOK, TWILIO_REQUEST]) | Q(name__startswith=ENGINE)).annotate(
        sidebands=_how_many(wanted.filter(lease_until__gte=now)),
        waiting=_how_many(wanted.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))),
        live=_how_many(Call.objects.filter(state__in=UNFINISHED)),
    )
    seen = list(rows.values("name", "at", "sidebands", "waiting", "live"))
    counts = {name: seen[0][name] for name in ("sidebands", "waiting", "live")} if seen else {}
    return Signs(**_lives({row["name"]: row["at"] for row in seen}, now), **counts)


def traffic(signs: Signs, now: datetime, *, deadline_s: float) -> Traffic:
    """What is expected: webhooks after dials, callbacks after sessions. Two queries, usually one."""
    due = Call.objects.filter(ai_dialled_at__lte=now - timedelta(seconds=deadline_s)).newest_first()
    return Traffic(
        dials=tuple(at for at in due.values_list("ai_dialled_at", flat=True)[:DIALS] if at),
        owed_at=_owed(signs, now),
    )


def _owed(signs: Signs, now: datetime) -> datetime | None:
    """The first beginning or end of a session that Twilio's last request cannot have been about."""
    told_at = signs.callback_at or now - QUIET
    if now - told_at < CALLBACKS_REST:
        return None
    since = max(told_at + CALLBACK_IS_DUE, now - QUIET)
    carried = AiSession.objects.filter(call__topology=Topology.TWIML, call__carrier_sid__isnull=False)
    first = carried.aggregate(
        opened=Min("opened_at", filter=Q(opened_at__gt=since)), closed=Min("closed_at", filter=Q(closed_at__gt=since))
    )
    return min((at for at in first.values() if at), default=None)


def _lives(beats: Mapping[str, datetime], now: datetime) -> dict[str, Any]:
    engines = [at for name, at in beats.items() if name.startswith(ENGINE)]
    return {
        "webhook_at": beats.get(OPENAI_WEBHOOK),
        "callback_at": beats.get(TWILIO_REQUEST),
        "engine_at": max(engines, default=None),
        "engines": sum(at >= now - ENGINE_LIVES for at in engines),
    }


def _how_many(rows: QuerySet[Any]) -> Subquery:
    """The number of these rows as a column, without grouping."""
    number = Func(F("pk"), function="COUNT", output_field=IntegerField())
    return Subquery(rows.order_by().annotate(number=number).values("number"))
