"""Reading what was redacted: a right of few, for a reason that is kept, and never stored again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from callops.core.text import WHY_UNFIT, is_storable
from callops.dashboard import access
from callops.people.roles import Right
from callops.privacy.sealing import CannotUnseal
from callops.sideband.models import Turn
from callops.sideband.originals import original

SHORTEST_REASON = 8


@never_cache
@require_http_methods(["GET", "POST"])
@access.with_right(Right.REVEAL)
def reveal(request: HttpRequest, call_id: str, turn_id: int) -> HttpResponse:
    """The line as it was said, after the reason was given; the audit has who read it and why. 422 without a reason."""
    call = access.call(request, call_id)
    turn = get_object_or_404(Turn, pk=turn_id, call=call)
    why = request.POST.get("why", "").strip()
    context = {"call": call, "turn": turn, "why": why, "here": "call"}
    if request.method == "GET":
        return render(request, "dashboard/reveal.html", context)
    if not is_storable(why):
        return render(request, "dashboard/reveal.html", {**context, "problem": WHY_UNFIT}, status=422)
    if len(why) < SHORTEST_REASON:
        problem = f"Give the reason in at least {SHORTEST_REASON} characters; it is kept in the audit."
        return render(request, "dashboard/reveal.html", {**context, "problem": problem}, status=422)
    try:
        said = original(call.pk, turn.item_id)
        problem = "" if said is not None else "It is not kept any more."
    except CannotUnseal as sealed:
        said, problem = None, str(sealed)
    return render(request, "dashboard/reveal.html", {**context, "said": said, "problem": problem})
