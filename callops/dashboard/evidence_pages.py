"""What a call proves, to be handed on: the bundle."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core.clock import now
from callops.dashboard import access
from callops.reports.download import download
from callops.reports.gathering import gather


@never_cache
@require_safe
@access.signed_in
def evidence_zip(request: HttpRequest, call_id: str) -> HttpResponse:
    """The evidence of the call as it is known now; telephone numbers only with `?numbers=1`."""
    record = gather(access.call(call_id), at=now())
    return download(record, numbers=request.GET.get("numbers") == "1")
