"""Calls are put to an incident: one from its page, all that a search finds, or those that were ticked."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST

from callops.alerts import working
from callops.alerts.working import MOST_CALLS, Refused
from callops.calls.models import Call
from callops.core.clock import now
from callops.core.text import is_storable, storable
from callops.dashboard import access
from callops.dashboard.history_pages import search_of
from callops.dashboard.incident_choices import choices, incident_of
from callops.people.roles import Right


@require_POST
@access.with_right(Right.EXPORT)
def add_call(request: HttpRequest, call_id: str) -> HttpResponse:
    """The call belongs to the incident that was chosen, or to a new one."""
    call = access.call(request, call_id)
    return _added(request, [call.pk], resolve_url("dashboard:call", call.pk))


@require_POST
@access.with_right(Right.EXPORT)
def add_found(request: HttpRequest) -> HttpResponse:
    """Every call that a search finds belongs to the incident that was chosen, or to a new one.

    A search that asks for nothing, or of which a part was left out, finds more than was meant: 422.
    """
    search = search_of(request, _query(request))
    if search.query.problems or not search.asks:
        why = " ".join(each.why for each in search.query.problems) or "Search or filter first."
        return _not_added(request, why, resolve_url("dashboard:history") + search.address())
    keys = list(search.calls().order_by("-pk").values_list("pk", flat=True)[: MOST_CALLS + 1])
    return _added(request, keys, resolve_url("dashboard:history") + search.address())


@require_POST
@access.with_right(Right.EXPORT)
def add_chosen(request: HttpRequest) -> HttpResponse:
    """The calls that were ticked belong to the incident that was chosen, or to a new one; 404 when one is unknown."""
    told = list(dict.fromkeys(request.POST.getlist("call")))[:MOST_CALLS]
    back = resolve_url("dashboard:history") + search_of(request, _query(request)).address()
    if not told:
        return _not_added(request, "Choose the calls first: tick them in the history.", back)
    return _added(request, _known(request, told), back)


@require_POST
@access.with_right(Right.EXPORT)
def new(request: HttpRequest) -> HttpResponse:
    """There is a new incident, and its page is next."""
    return _added(request, [], resolve_url("dashboard:incidents"))


def _query(request: HttpRequest) -> QueryDict:
    """The search of the page the form was on."""
    return QueryDict(request.POST.get("query", "").lstrip("?")[:1000])


def _known(request: HttpRequest, told: Sequence[str]) -> list[str]:
    """The ids of these calls today, newest first; those that became part of another are asked for one by one."""
    fit = [each for each in told if is_storable(each)]
    here = set(access.scope(request).calls(Call.objects.filter(pk__in=fit)).values_list("pk", flat=True))
    became = {access.call(request, storable(each)).pk for each in told if each not in here}
    return sorted(here | became, reverse=True)


def _added(request: HttpRequest, calls: Sequence[str], back: str) -> HttpResponse:
    """The calls are put to the incident chosen, or to a new one with the title given; refused, there is no new one."""
    by, at = access.user_of(request).get_username(), now()
    chosen = request.POST.get("incident", "")
    try:
        with transaction.atomic():
            if chosen.isdecimal() and len(chosen) < 18:
                incident = incident_of(request, int(chosen))
            else:
                incident = working.open_by_hand(title=request.POST.get("title", ""), by=by, now=at)
            working.collect(incident.pk, calls, by=by, now=at)
    except Refused as why:
        return _not_added(request, str(why), back)
    return HttpResponseRedirect(resolve_url("dashboard:incident", incident.pk), status=303)


def _not_added(request: HttpRequest, why: str, back: str) -> HttpResponse:
    told = {name: request.POST.get(name, "") for name in ("title", "incident", "query")}
    context = {
        "why": why,
        "back": back,
        "to": request.path,
        "typed_title": told["title"],
        "picked": told["incident"],
        "result": told["query"],
        "ticked": request.POST.getlist("call")[:MOST_CALLS],
        "incidents": choices(request),
        "here": "incidents",
    }
    return render(request, "dashboard/not_added.html", context, status=422)
