"""Which incidents a person sees, what of them, and to which of them a call may be added."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from callops.alerts.models import BY_HAND, Incident, IncidentCall, IncidentQuerySet, IncidentStep, Work
from callops.calls.models import Call
from callops.dashboard import access

MOST = 50


def seen_by(request: HttpRequest) -> IncidentQuerySet:
    """Incidents this person sees: those that open by themselves, one's own, and people's with a call that one sees."""
    scope, user = access.scope(request), access.user_of(request)
    if scope.lines is None:
        return Incident.objects.all()
    mine = Q(opened_by=user.get_username()) | Q(owner=user)
    theirs = IncidentCall.objects.filter(incident=OuterRef("pk"), is_out=False, call__line__in=scope.lines)
    return Incident.objects.filter(~Q(kind=BY_HAND) | mine | Exists(theirs))


def incident_of(request: HttpRequest, incident_id: int) -> Incident:
    """The incident with its owner; 404 when this person does not see it."""
    return get_object_or_404(seen_by(request).select_related("owner"), pk=incident_id)


def choices(request: HttpRequest) -> IncidentQuerySet:
    """Incidents a call may be added to: those that are not resolved, newest first; asked when looked at."""
    return seen_by(request).unresolved()[:MOST]


def steps_for(request: HttpRequest, incident: Incident) -> list[IncidentStep]:
    """What was done to it, oldest first; a call of which this person sees nothing is not named."""
    steps, scope = list(incident.steps.all()), access.scope(request)
    naming = [each for each in steps if each.what in (Work.COLLECTED, Work.LEFT_OUT) and not each.text.isdecimal()]
    if scope.lines is not None and naming:
        known = Call.objects.filter(pk__in={step.text for step in naming})
        seen = set(scope.calls(known).values_list("pk", flat=True))
        for step in naming:
            step.text = step.text if step.text in seen else ""
    return steps
