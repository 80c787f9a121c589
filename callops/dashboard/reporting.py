"""What is handed on about one call: the ladder and the reports for the providers."""

from __future__ import annotations

import re
from typing import Any

import nh3
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from callops.core.clock import now
from callops.dashboard import access, wording
from callops.people.roles import Right
from callops.reports import ladder, to_openai, to_twilio, trouble
from callops.reports.absences import Expected, missing
from callops.reports.gathering import gather
from callops.reports.masking import masked
from callops.reports.record import CallRecord, Happening
from callops.reports.steps import steps

REPORTS = {"openai": ("OpenAI", to_openai.report), "twilio": ("Twilio", to_twilio.report)}
_HEADING = re.compile("<(/?)h([1-4])>")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def report_page(request: HttpRequest, call_id: str) -> HttpResponse:
    """What happened, who told whom what, and what can be handed to the provider."""
    record = _record(request, call_id)
    drawn, title = steps(record), f"Who told whom what on call {record.id}"
    svg = ladder.svg(drawn, title=title, link=f"/calls/{record.id}/timeline/#event-")
    context = {
        "call": access.call(request, call_id),
        "first": first_wrong(trouble.first(record)),
        "absences": missing(record),
        "svg": mark_safe(svg),  # noqa: S308 - every text in it is escaped
        "text": ladder.text(drawn, title=title),
        "reports": [_report(name, record) for name in REPORTS],
        "here": "call",
    }
    return render(request, "dashboard/report.html", context)


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def report_file(request: HttpRequest, call_id: str, name: str) -> HttpResponse:
    """One report, or the ladder, as a file."""
    record = _record(request, call_id)
    title = f"Call {record.id}"
    if name == "ladder.svg":
        return _file(ladder.svg(steps(record), title=title, alone=True), f"{record.id}-ladder.svg", "image/svg+xml")
    if name == "ladder.txt":
        return _file(ladder.text(steps(record), title=title), f"{record.id}-ladder.txt", "text/plain; charset=utf-8")
    whom = name.removesuffix(".md")
    if whom not in REPORTS or not name.endswith(".md"):
        raise Http404("There is no such report.")
    return _file(REPORTS[whom][1](record), f"{record.id}-{name}", "text/markdown; charset=utf-8")


def _record(request: HttpRequest, call_id: str) -> CallRecord:
    """The call as it may leave the house."""
    numbers = request.GET.get("numbers") == "1" and access.may(request, Right.SEE_NUMBERS)
    return masked(gather(access.call(request, call_id), at=now()), numbers=numbers)


def _report(name: str, record: CallRecord) -> dict[str, Any]:
    whom, make = REPORTS[name]
    text = make(record)
    return {"name": name, "whom": whom, "text": text, "html": rendered(text)}


def rendered(markdown: str) -> SafeString:
    """Markdown as HTML in which nothing runs and nothing is fetched."""
    html = _HEADING.sub(_deeper, _MARKDOWN.render(markdown))
    clean = nh3.clean(html, tags=nh3.ALLOWED_TAGS - {"img"}, url_schemes={"https", "mailto"}, link_rel="noopener")
    return mark_safe(clean)  # noqa: S308 - cleaned above


def first_wrong(wrong: Happening | Expected | None) -> dict[str, Any] | None:
    """When it was, the row it rests on, and a sentence; None when nothing went wrong."""
    if wrong is None:
        return None
    if isinstance(wrong, Expected):
        return {"at": wrong.deadline, "seq": wrong.since.seq, "words": f"{wrong.sentence}."}
    return {"at": wrong.at, "seq": wrong.seq, "words": wording.sentence(wrong.kind, wrong.body)}


def _file(content: str, name: str, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _deeper(found: re.Match[str]) -> str:
    """A heading of the report under the headings of the page it stands on."""
    return f"<{found[1]}h{int(found[2]) + 2}>"
