"""One incident as people work on it: who sees to it, its calls, what was noted, its cause, and the post-mortem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from callops.alerts import working
from callops.alerts.collected import calls_of
from callops.alerts.models import Cause, Incident, IncidentStep, Work
from callops.alerts.working import LONGEST_NOTE, LONGEST_TITLE, MOST_CALLS, Refused, Stale
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.core.clock import now
from callops.dashboard import access, post_mortem
from callops.dashboard.forms import Text
from callops.dashboard.incident_choices import incident_of, steps_for
from callops.dashboard.reporting import rendered
from callops.people.roles import Right
from callops.people.standing import standings
from callops.transfers.models import TransferAttempt

MOST_SHOWN: Final = 100
ACTS: Final = ("acknowledge", "own", "note", "resolve", "reopen", "leave_out")


class ActForm(forms.Form):
    """What a person wants to do; `rev` is the state they saw."""

    act = forms.ChoiceField(choices=[(word, word) for word in ACTS])
    rev = forms.IntegerField(min_value=0, required=False)
    text = Text(required=False)
    owner = forms.CharField(max_length=150, required=False)
    cause = forms.CharField(max_length=12, required=False)
    call = forms.CharField(max_length=26, required=False)


@dataclass(frozen=True, slots=True)
class Done:
    """One thing a person did, with a note as HTML in which nothing runs."""

    step: IncidentStep
    html: str


@never_cache
@require_safe
@access.signed_in
def page(request: HttpRequest, incident_id: int) -> HttpResponse:
    """What is this incident, who sees to it, and which calls did it hit?"""
    return render(request, "dashboard/incident.html", _context(request, incident_of(request, incident_id)))


@never_cache
@require_safe
@access.signed_in
def live(request: HttpRequest, incident_id: int) -> HttpResponse:
    """The part of the page that changes by itself, asked for every few seconds."""
    context = {**_context(request, incident_of(request, incident_id)), "oob": True}
    return render(request, "dashboard/_incident.html", context)


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def post_mortem_file(request: HttpRequest, incident_id: int) -> HttpResponse:
    """The whole incident as Markdown, of the calls this person sees."""
    incident = incident_of(request, incident_id)
    seen = access.scope(request).calls(calls_of(incident))
    text = post_mortem.write(
        incident,
        steps=steps_for(request, incident),
        calls=list(_with_transfers(seen.newest_first().select_related("line")[:MOST_CALLS])),
        count=seen.count(),
        marks=_marks(seen),
        address=request.build_absolute_uri("/").rstrip("/"),
        at=now(),
    )
    name = f'attachment; filename="incident-{incident.pk}.md"'
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers={"Content-Disposition": name})


@require_POST
@access.with_right(Right.EXPORT)
def act(request: HttpRequest, incident_id: int) -> HttpResponse:
    """It is done, or the page says why not: 409 when somebody was first, 422 when something is missing."""
    incident, form = incident_of(request, incident_id), ActForm(request.POST)
    try:
        _do(request, incident, form)
    except Refused as why:
        status = 409 if isinstance(why, Stale) else 422
        context = _context(request, incident_of(request, incident_id))
        typed = {"typed": form.data.get("text", ""), "act": form.data.get("act", ""), "chosen": form.data.get("cause")}
        return render(request, "dashboard/incident.html", {**context, **typed, "problem": str(why)}, status=status)
    return HttpResponseRedirect(resolve_url("dashboard:incident", incident.pk), status=303)


def _do(request: HttpRequest, incident: Incident, form: ActForm) -> None:
    if not form.is_valid():
        if "text" in form.errors:
            raise Refused(" ".join(str(error) for error in form.errors["text"]))
        raise Refused("That is nothing that can be done to an incident. Load the page again.")
    told, rev = form.cleaned_data, form.cleaned_data["rev"]
    who: dict[str, Any] = {"by": access.user_of(request).get_username(), "now": now()}
    if told["act"] == "note":
        return working.note(incident.pk, text=told["text"], **who)
    if told["act"] == "leave_out":
        return working.leave_out(incident.pk, access.call(request, told["call"]).pk, **who)
    if rev is None:
        raise Refused("The page did not say which state it showed. Load it again.")
    if told["act"] == "acknowledge":
        return working.acknowledge(incident.pk, rev=rev, **who)
    if told["act"] == "own":
        return working.own(incident.pk, rev=rev, owner=_owner(request, told["owner"]), **who)
    if told["act"] == "resolve":
        return working.resolve(incident.pk, rev=rev, cause=told["cause"], words=told["text"], **who)
    return working.reopen(incident.pk, rev=rev, **who)


def _owner(request: HttpRequest, name: str) -> User | None:
    """Oneself, somebody else who may work on incidents, or nobody."""
    if not name:
        return None
    found = next((user for user in _owners() if user.get_username() == name), None)
    if found is None:
        raise Refused(f"There is nobody called {name} who works on incidents.")
    return found


def _owners() -> list[User]:
    known = standings(User.objects.filter(is_active=True).values_list("pk", flat=True))
    able = [pk for pk, standing in known.items() if standing.may(Right.EXPORT)]
    return list(User.objects.filter(pk__in=able).order_by("username"))


def _context(request: HttpRequest, incident: Incident) -> dict[str, Any]:
    seen = access.scope(request).calls(calls_of(incident))
    may_work = access.may(request, Right.EXPORT)
    return {
        "incident": incident,
        "calls": _with_transfers(seen.newest_first().select_related("line")[:MOST_SHOWN]),
        "count": seen.count(),
        "marks": _marks(seen),
        "done": [
            Done(step, rendered(step.text) if step.what == Work.NOTED else "") for step in steps_for(request, incident)
        ],
        "causes": Cause.choices,
        "owners": [user.get_username() for user in _owners()] if may_work else [],
        "may_work": may_work,
        "longest": LONGEST_NOTE,
        "longest_title": LONGEST_TITLE,
        "here": "incidents",
    }


def _with_transfers(calls: QuerySet[Call]) -> list[Any]:
    """The calls, each with its last transfer. Two queries."""
    rows: list[Any] = list(calls)
    last = {
        each.call_id: each for each in TransferAttempt.objects.filter(call__in=[row.pk for row in rows]).order_by("pk")
    }
    for row in rows:
        row.last_attempt = last.get(row.pk)
    return rows


def _marks(calls: QuerySet[Call]) -> list[Event]:
    """What people marked on these calls, oldest first."""
    found = Event.objects.filter(call__in=calls.order_by().values("pk"), kind=Kind.OPERATOR_MARKED)
    return list(found.order_by("at")[:MOST_SHOWN])
