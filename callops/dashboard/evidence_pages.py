"""What a call proves, to be handed on: the bundle."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core.clock import now
from callops.dashboard import access
from callops.people.roles import Right
from callops.reports.download import download
from callops.reports.gathering import gather


@never_cache
@require_safe
@access.with_right(Right.EXPORT)
def evidence_zip(request: HttpRequest, call_id: str) -> HttpResponse:
    """The evidence of the call as it is known now; telephone numbers only with `?numbers=1`."""
    numbers = request.GET.get("numbers") == "1" and access.may(request, Right.SEE_NUMBERS)
    return download(gather(access.call(request, call_id), at=now()), numbers=numbers)
