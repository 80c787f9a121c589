"""What people do about a line's breaker: force it open or closed, or give it back to itself, and say why."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.views.decorators.http import require_POST

from callops.calls.models import Line
from callops.calls.words import Topology
from callops.core.clock import now
from callops.dashboard import access, results
from callops.dashboard.forms import BreakerForm
from callops.transfers import switching
from callops.transfers.models import Force


@require_POST
@access.acting
def force(request: HttpRequest, line_id: int) -> HttpResponse:
    """The breaker stands as asked, and who asked why is kept; 422 when the reason is missing. Trunk lines have none."""
    line = get_object_or_404(Line.objects.exclude(topology=Topology.TRUNK), pk=line_id)
    if not access.scope(request).sees_line(line.pk):
        raise Http404("There is no such line.")
    form = BreakerForm(request.POST)
    if not form.is_valid():
        return _refused(request, line, form)
    wish = {"force": Force(form.cleaned_data["force"]), "why": form.cleaned_data["why"]}
    switching.force(line=line, by=access.user_of(request).get_username(), now=now(), **wish)
    return HttpResponseRedirect(f"{resolve_url('dashboard:transfers')}#breaker-{line.pk}", status=303)


def _refused(request: HttpRequest, line: Line, form: BreakerForm) -> HttpResponse:
    """The page again, with the sentence beside the form it belongs to."""
    typed = {f"wrong_{name}": request.POST.get(name, "") for name in ("force", "why")}
    wrong = {"wrong_line": line.pk, "problem": form.problem(), **typed}
    context = {**results.page(request.GET, now(), access.scope(request)), "may_act": True, **wrong}
    return render(request, "dashboard/transfers.html", context, status=422)
