"""What is reached by keys: the palette, which finds calls, pages and words, and a mark on the moment that is now."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from callops.calls import commands, search
from callops.calls.models import Call
from callops.core.clock import now
from callops.core.text import storable
from callops.dashboard import access, call_page
from callops.dashboard.commands import page_context
from callops.dashboard.forms import Text
from callops.finding.language import Is, parse
from callops.people.roles import Right

MOST = 8
PAGES = (
    ("Live", "dashboard:board", "g l", None),
    ("History", "dashboard:history", "g h", None),
    ("Transfers", "dashboard:transfers", "", None),
    ("Incidents", "dashboard:incidents", "", None),
    ("Call-backs", "dashboard:call_backs", "", None),
    ("Wall", "dashboard:walls", "", Right.ACT),
    ("Desk settings", "dashboard:desk_settings", "", Right.KEEP_DESK),
    ("Audit", "dashboard:audit", "", Right.ADMINISTER),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its name, its address, and the keys that lead there."""

    name: str
    address: str
    keys: str


class MarkForm(forms.Form):
    """Why somebody wants to find this moment again."""

    text = Text(
        required=False,
        max_length=commands.MAX_MARK,
        error_messages={
            "max_length": f"A remark has at most {commands.MAX_MARK} characters. Shorten it and mark again."
        },
    )


@never_cache
@require_safe
@access.signed_in
def find(request: HttpRequest) -> HttpResponse:
    """Calls and pages for what was typed: live calls first; without words, the live calls and every page.

    What was typed can always be searched for in the history, too: in transcripts, when it has words.
    """
    asked = storable(request.GET.get("q", "")).strip()[:100]
    said = bool(parse(asked, now=now()).of(Is.WORDS))
    context = {"calls": _calls(request, asked), "pages": _pages(request, asked), "asked": asked, "said": said}
    return render(request, "dashboard/_palette.html", context)


@require_POST
@access.with_right(Right.EXPORT)
def mark(request: HttpRequest, call_id: str) -> HttpResponse:
    """The moment is marked; 422 when the remark is too long, and nothing is lost of it."""
    call, form = access.call(request, call_id), MarkForm(request.POST)
    if not form.is_valid():
        return _not_marked(request, call, form)
    by = access.user_of(request).get_username()
    commands.mark(call=call, by=by, text=form.cleaned_data["text"], now=now())
    if access.is_htmx(request):
        return HttpResponse("Marked.", content_type="text/plain")
    return HttpResponseRedirect(resolve_url("dashboard:call", call.pk), status=303)


def _not_marked(request: HttpRequest, call: Call, form: MarkForm) -> HttpResponse:
    """Why not: beside the box for htmx, which keeps what was typed; else the page with both."""
    why = " ".join(str(error) for error in form.errors["text"])
    picture = None if access.is_htmx(request) else call_page.read(call.pk, now=now())
    if picture is None:
        return HttpResponse(why, status=422, content_type="text/plain")
    context = {**page_context(request, picture), "mark_problem": why, "mark_text": form.data.get("text", "")}
    return render(request, "dashboard/call.html", context, status=422)


def _calls(request: HttpRequest, asked: str) -> list[Call]:
    seen = access.scope(request).calls(Call.objects.all())
    live = seen.on_board(now()).newest_first().select_related("line")
    if not asked:
        return list(live[:MOST])
    numbers = access.may(request, Right.SEE_NUMBERS)
    found = search.matching(seen, asked, numbers=numbers).newest_first().select_related("line")
    return sorted(found[:MOST], key=lambda call: call.is_over)


def _pages(request: HttpRequest, asked: str) -> list[Page]:
    return [
        Page(name, resolve_url(place), keys)
        for name, place, keys, right in PAGES
        if asked.lower() in name.lower() and (right is None or access.may(request, right))
    ]
