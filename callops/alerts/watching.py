"""Incidents open and close by themselves: one process at a time looks every ten seconds, any process may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Min

from callops.alerts import rules, signs
from callops.alerts.alarms import Alarm, alarms
from callops.alerts.models import DEAD_MAN, Incident, Sign
from callops.alerts.rules import WINDOW, Stretch
from callops.calls.models import Call
from callops.calls.words import FailureStage
from callops.core import beats
from callops.core.config import config
from callops.core.ids import first_id
from callops.sideband.models import AiSession

TURN = "alerts"
EVERY = timedelta(seconds=10)
OVER: dict[str, str] = {
    Sign.OPENAI_WEBHOOK: "A webhook came, or none is expected any more.",
    Sign.TWILIO_REQUEST: "Twilio called, or no call from it is expected any more.",
    Sign.ENGINE: "An engine runs, or nothing waits for one any more.",
}
"""Why a dead-man's incident is closed."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The calls of the last `WINDOW`: how many failed at each stage ("": none), and when the first of them began."""

    counts: Mapping[str, int]
    first: Mapping[str, datetime]
    went_through: bool
    last_call_at: datetime | None

    def stretch(self, stage: str) -> Stretch:
        return Stretch(
            failed=self.counts.get(stage, 0),
            calls=sum(self.counts.values()),
            went_through=self.went_through,
            last_call_at=self.last_call_at,
        )


def look_in_turn(now: datetime) -> bool:
    """Incidents are as they should be; False when it was not yet time, or somebody else looks."""
    mine = beats.take_turn(TURN, now, every=EVERY)
    if mine:
        look(now)
    return mine


def look(now: datetime) -> None:
    """Every trouble has its open incident with its reason and counts, and what is over is closed with the reason."""
    still_open = {(each.kind, each.about): each for each in Incident.objects.still_open()}
    seen = _seen(now)
    for stage in FailureStage.values:
        _failures(stage, seen, still_open.get((stage, "")), now)
    alarming = {alarm.sign: alarm for alarm in _alarms(now)}
    for sign in Sign:
        _silence(sign, alarming.get(sign), still_open.get((DEAD_MAN, sign)), now)


def _failures(stage: str, seen: _Seen, incident: Incident | None, now: datetime) -> None:
    stretch = seen.stretch(stage)
    if incident is None:
        if because := rules.opens(stretch):
            counts = {"failed": stretch.failed, "calls": stretch.calls}
            _open(kind=stage, began_at=seen.first[stage], opened_at=now, because=because, **counts)
    elif because := rules.closes(stretch, now):
        _close(incident, because, now)
    else:
        _count(incident)


def _silence(sign: Sign, alarm: Alarm | None, incident: Incident | None, now: datetime) -> None:
    if alarm and incident is None:
        _open(kind=DEAD_MAN, about=sign, began_at=alarm.since or now, opened_at=now, because=alarm.because)
    if incident and alarm is None:
        _close(incident, OVER[sign], now)


def _open(**fields: object) -> None:
    """The incident is open; another process may have been first."""
    try:
        with transaction.atomic():
            Incident.objects.create(**fields)
    except IntegrityError:
        return


def _close(incident: Incident, because: str, now: datetime) -> None:
    _count(incident)
    Incident.objects.still_open().filter(pk=incident.pk).update(closed_at=now, closed_because=because)


def _count(incident: Incident) -> None:
    """The incident's counts are those of all calls since it began."""
    if incident.kind == DEAD_MAN:
        return
    since = Call.objects.filter(pk__gte=first_id(incident.began_at))
    failed, calls = since.filter(failure_stage=incident.kind).count(), since.count()
    Incident.objects.still_open().filter(pk=incident.pk).update(failed=failed, calls=calls)


def _seen(now: datetime) -> _Seen:
    """Three queries. Calls are those that began in the window: their ids tell, and failures follow within seconds."""
    recent = Call.objects.filter(pk__gte=first_id(now - WINDOW)).order_by()
    rows = list(recent.values("failure_stage").annotate(count=Count("pk"), first=Min("started_at")))
    through = AiSession.objects.filter(call__gte=first_id(now - WINDOW), opened_at__isnull=False)
    return _Seen(
        counts={row["failure_stage"]: row["count"] for row in rows},
        first={row["failure_stage"]: row["first"] for row in rows},
        went_through=through.exists(),
        last_call_at=Call.objects.newest_first().values_list("started_at", flat=True).first(),
    )


def _alarms(now: datetime) -> list[Alarm]:
    seen = signs.read(now)
    return alarms(seen, signs.traffic(seen, now, deadline_s=config().webhook_deadline_s), now)
