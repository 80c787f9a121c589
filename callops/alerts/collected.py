"""The calls of an incident: those that failed alike while it went on, and those a person added or left out."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from callops.alerts.models import Incident, IncidentCall
from callops.calls.models import Call, CallQuerySet
from callops.calls.words import FailureStage
from callops.core.ids import first_id


def calls_of(incident: Incident) -> CallQuerySet:
    """All calls of the incident, in no order."""
    rows = IncidentCall.objects.filter(incident=incident, call=OuterRef("pk"))
    added, out = Exists(rows.filter(is_out=False)), Exists(rows.filter(is_out=True))
    return Call.objects.filter(Q(added) | _alike(incident)).exclude(out)


def _alike(incident: Incident) -> Q:
    """The same cause, as far as it is known by itself: the stage at which calls failed while it went on."""
    if incident.kind not in FailureStage.values:
        return Q(pk__in=[])
    alike = Q(failure_stage=incident.kind, pk__gte=first_id(incident.began_at))
    return alike & Q(pk__lt=first_id(incident.closed_at)) if incident.closed_at else alike
