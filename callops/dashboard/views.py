"""The pages people read."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.calls.models import CallBack, Line
from callops.core.clock import now
from callops.core.config import config
from callops.dashboard import (
    access,
    board,
    callers,
    first_run,
    history_pages,
    incident_choices,
    incident_list,
    outages,
    results,
    spent,
)
from callops.dashboard.call_page import became, read
from callops.dashboard.commands import page_context
from callops.dashboard.sifting import STAGES, sift_of
from callops.people.roles import Right

TASKS = 200
DONE_TASKS = 20


@never_cache
@require_safe
@access.signed_in
def board_page(request: HttpRequest) -> HttpResponse:
    """Who needs me?"""
    rows, scope = board.rows(now(), access.scope(request)), access.scope(request)
    sift = sift_of(request.GET, numbers=access.may(request, Right.SEE_NUMBERS))
    needs, others = board.sections(rows, sift)
    context = {
        "needs": needs,
        "rows": others,
        "counts": board.counts(rows, now()),
        "sift": sift,
        "stages": STAGES,
        "lines": [line for line in Line.objects.order_by("name") if scope.sees_line(line.pk)],
        "first": first_run.before_the_first_call() if not rows else None,
        "simulated": config().demo,
        "here": "board",
    }
    return render(request, "dashboard/board.html", context)


@never_cache
@require_safe
@access.signed_in
def call(request: HttpRequest, call_id: str) -> HttpResponse:
    """What is true of this call, and what can I do?"""
    picture = read(call_id, now=now())
    if picture is None:
        return _where_it_went(call_id)
    if not access.scope(request).sees_line(picture.call.line_id):
        raise Http404("There is no such call.")
    context = {**page_context(request, picture), **history_pages.among(request, picture.call)}
    context["incidents"] = incident_choices.choices(request) if access.may(request, Right.EXPORT) else []
    return render(request, "dashboard/call.html", context)


@never_cache
@require_safe
@access.signed_in
def cost(request: HttpRequest, call_id: str) -> HttpResponse:
    """What the call's assistant has cost so far: a piece of its page, asked for now and then."""
    row = access.call(request, call_id)
    return render(request, "dashboard/_cost.html", {"call": row, "cost": spent.of(row)})


def _where_it_went(call_id: str) -> HttpResponse:
    """Old links lead to the call that this half became part of; 404 when there never was such a call."""
    joined = became(call_id)
    if joined is None:
        raise Http404("There is no such call.")
    return HttpResponseRedirect(resolve_url("dashboard:call", joined))


@never_cache
@require_safe
@access.signed_in
def transfers_page(request: HttpRequest) -> HttpResponse:
    """What works today? Transfers newest first, and what came of them by mechanism and by line."""
    context = {**results.page(request.GET, now(), access.scope(request)), "may_act": access.may(request, Right.ACT)}
    context["may_export"] = access.may(request, Right.EXPORT)
    return render(request, "dashboard/transfers.html", context)


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def figures_csv(request: HttpRequest) -> HttpResponse:
    """The figures of the transfers page for a spreadsheet."""
    headers = {"Content-Disposition": f'attachment; filename="transfers-{now():%Y-%m-%d}.csv"'}
    text = results.as_csv(request.GET, now(), access.scope(request))
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@never_cache
@require_safe
@access.signed_in
def incidents_page(request: HttpRequest) -> HttpResponse:
    """What keeps callers from the AI, how many it hit, and who is to be called back?"""
    period = outages.PERIODS.get(request.GET.get("period", ""), outages.PERIODS[outages.USUAL])
    outage = outages.read(period, now(), access.scope(request))
    asked = incident_list.wanted(request.GET, period)
    seen = incident_choices.seen_by(request).select_related("owner")
    page = incident_list.page(seen, asked, since=outage.since, user=access.user_of(request))
    context = {
        "outage": outage,
        "callers": callers.to_call_back(outage.since, access.scope(request)),
        "most": callers.MOST,
        "incidents": page.rows,
        "page": page,
        "asked": asked,
        "may_work": access.may(request, Right.EXPORT),
        "period": period,
        "here": "incidents",
    }
    return render(request, "dashboard/incidents.html", context)


@never_cache
@require_safe
@access.signed_in
def call_backs_page(request: HttpRequest) -> HttpResponse:
    """Whom must somebody call back? Open tasks, newest first, and the last ones that were done."""
    tasks = access.scope(request).calls(CallBack.objects.select_related("call__line"), "call__")
    context = {
        "open": tasks.filter(done_at__isnull=True).order_by("-last_at")[:TASKS],
        "done": tasks.filter(done_at__isnull=False).order_by("-done_at")[:DONE_TASKS],
        "may_act": access.may(request, Right.ACT),
        "here": "call_backs",
    }
    return render(request, "dashboard/call_backs.html", context)
