"""The audit for administrators: who did, read or took what, newest first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.audit.models import Entry
from callops.audit.verbs import ACTS, READINGS, SEARCHES, SIGN_IN, SIGN_IN_FAILED, SIGN_OUT, WATCH
from callops.core.text import storable
from callops.dashboard import access
from callops.people.roles import Right

PAGE = 100
VERBS = sorted({*ACTS.values(), *READINGS.values(), *SEARCHES.values(), SIGN_IN, SIGN_IN_FAILED, SIGN_OUT, WATCH})


@never_cache
@require_safe
@access.with_right(Right.ADMINISTER)
def page(request: HttpRequest) -> HttpResponse:
    """Entries that fit the filters of the address, `PAGE` at a time."""
    wanted = {name: storable(request.GET.get(name, "")).strip()[:150] for name in ("who", "verb", "call")}
    wanted = {name: value for name, value in wanted.items() if value}
    found = Entry.objects.filter(**wanted)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 18:
        found = found.filter(number__lt=int(before))
    rows = list(found[: PAGE + 1])
    for row in rows:  # half a character in an old entry takes nobody's page away
        row.detail = storable(row.detail)
    older = urlencode({**wanted, "before": rows[PAGE - 1].number}) if len(rows) > PAGE else ""
    context: dict[str, Any] = {"rows": rows[:PAGE], "older": older, "wanted": wanted, "verbs": VERBS, "here": "audit"}
    return render(request, "dashboard/audit.html", context)
