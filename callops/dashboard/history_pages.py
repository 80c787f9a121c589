"""The history: found calls, how a search goes on while it is typed, views that were kept, and files."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final, cast

from django import forms
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from callops.calls.models import Call, Destination, Line
from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard import access, history, incident_choices
from callops.dashboard.forms import MAX_SEARCH, HistoryForm, Text
from callops.dashboard.history import Search
from callops.dashboard.history_chips import chips
from callops.finding import taking
from callops.finding.completing import completions
from callops.finding.fields import FIELDS
from callops.finding.models import SavedView
from callops.people.roles import Right

MOST_VIEWS: Final = 50
_DIGITS: Final = re.compile(r"\d{3}")
FORMS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class ViewForm(forms.Form):
    """A search under a name; `query` is the address of the page it was found with."""

    name = Text(max_length=60, error_messages={"required": "Give the view a name."})
    query = forms.CharField(max_length=1000, required=False, strip=True)
    is_shared = forms.BooleanField(required=False)


@never_cache
@require_safe
@access.signed_in
def history_page(request: HttpRequest) -> HttpResponse:
    """Calls of the past; the address holds filters and page, so it can be sent to somebody."""
    search = search_of(request, request.GET)
    response = render(request, "dashboard/history.html", _context(request, search))
    if access.is_htmx(request):
        response.headers["HX-Push-Url"] = request.path + search.address()
    return response


@never_cache
@require_safe
@access.signed_in
def complete(request: HttpRequest) -> HttpResponse:
    """How what is being typed may go on: options of the box, each the whole text."""
    scope = access.scope(request)
    known = {
        "line": [line.name for line in Line.objects.order_by("name") if scope.sees_line(line.pk)],
        "dest": list(Destination.objects.order_by("name").values_list("name", flat=True)),
    }
    typed = request.GET.get("q", "").replace("\0", "")[:MAX_SEARCH]
    return render(request, "dashboard/_completions.html", {"completions": completions(typed, known=known)})


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def take(request: HttpRequest, form: str) -> HttpResponse:
    """All calls that fit, as CSV or JSON, sent while they are read: the file may be of any length."""
    search = search_of(request, request.GET)
    name = f'attachment; filename="calls-{now():%Y-%m-%dT%H%M%SZ}.{form}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store, private"}
    pieces = _pieces(search.calls(), form)
    return cast("HttpResponse", StreamingHttpResponse(pieces, content_type=FORMS[form], headers=headers))


@require_POST
@access.signed_in
def save_view(request: HttpRequest) -> HttpResponse:
    """The search has a name now; one that had the name before is replaced. 422 when it cannot be kept."""
    form, by = ViewForm(request.POST), access.user_of(request)
    kept = SavedView.objects.filter(by=by)
    query = search_of(request, QueryDict(request.POST.get("query", "").lstrip("?")[:1000]))
    if form.is_valid() and kept.exclude(name=form.cleaned_data["name"]).count() >= MOST_VIEWS:
        form.add_error(None, f"You keep {MOST_VIEWS} views. Forget one first.")
    if not form.is_valid():
        why = " ".join(str(error) for errors in form.errors.values() for error in errors)
        context = {**_context(request, query), "problem": why, "view_name": request.POST.get("name", "")}
        return render(request, "dashboard/history.html", context, status=422)
    told = {"query": query.address(), "is_shared": form.cleaned_data["is_shared"], "made_at": now()}
    _keep(form.cleaned_data["name"], told, by)
    return HttpResponseRedirect(resolve_url("dashboard:history") + query.address(), status=303)


@require_POST
@access.signed_in
def forget_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """One's own view is gone, whoever asked twice; administrators take away any that is shared."""
    theirs = Q(by=access.user_of(request))
    if access.may(request, Right.ADMINISTER):
        theirs |= Q(is_shared=True)
    SavedView.objects.filter(theirs, pk=view_id).delete()
    return HttpResponseRedirect(resolve_url("dashboard:history"), status=303)


def search_of(request: HttpRequest, query: QueryDict) -> Search:
    """What this query asks for, for the person who asks."""
    return history.asked(query, now(), access.scope(request), numbers=access.may(request, Right.SEE_NUMBERS))


def among(request: HttpRequest, call: Call) -> dict[str, str]:
    """The result a call was opened from (`in` in its address): the way back, and the calls before and after it."""
    told = request.GET.get("in", "")[:1000].lstrip("?")
    if "in" not in request.GET:
        return {}
    search = search_of(request, QueryDict(told.replace("\0", "")))
    newer, older = history.neighbours(search, call)
    return {"result": search.address(), "newer": newer or "", "older": older or ""}


def _context(request: HttpRequest, search: Search) -> dict[str, object]:
    scope = access.scope(request)
    form = HistoryForm({**search.wanted, "line": getattr(search.wanted.get("line"), "pk", "")})
    seen = [(line.pk, line.name) for line in Line.objects.all() if scope.sees_line(line.pk)]
    form.fields["line"].choices = [("", "any line"), *seen]  # type: ignore[attr-defined]
    page = history.calls(search)
    return {
        "form": form,
        "page": page,
        "wanted": search.wanted,
        "chips": chips(search),
        "result": search.address(),
        "fields": FIELDS.values(),
        "views": _views(request),
        "may_read_numbers": search.numbers,
        "may_export": access.may(request, Right.EXPORT),
        "incidents": incident_choices.choices(request) if access.may(request, Right.EXPORT) else [],
        "may_administer": access.may(request, Right.ADMINISTER),
        "longest": MAX_SEARCH,
        "here": "history",
    }


def _views(request: HttpRequest) -> list[SavedView]:
    """One's own and shared ones; of others' none that looks for digits, for whoever may read no number."""
    seen = SavedView.objects.seen_by(request.user)
    blind = not access.may(request, Right.SEE_NUMBERS)
    return [view for view in seen if not (blind and view.by_id != request.user.pk and _DIGITS.search(view.query))]


def _keep(name: str, told: dict[str, object], by: User) -> None:
    """Two that save the same name at once leave one view."""
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(by=by, name=name, defaults=told)
    except IntegrityError:
        SavedView.objects.filter(by=by, name=name).update(**told)


async def _pieces(found: QuerySet[Any], form: str) -> AsyncIterator[str]:
    """The file, a few hundred calls at a time, each portion in a question of its own."""
    read = in_db(taking.portion)
    before: str | None = None
    is_first = True
    yield taking.head_csv() if form == "csv" else "["
    while is_first or before:
        rows = await read(found, before)
        yield taking.as_csv(rows) if form == "csv" else taking.as_json(rows, is_first=is_first)
        before = rows[-1]["id"] if len(rows) == taking.AT_ONCE else None
        is_first = False
    yield "" if form == "csv" else "\n]\n"
