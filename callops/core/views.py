"""What load balancers and Prometheus ask."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.core import access, metrics, readiness


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when calls can be taken, else 503 with the reasons."""
    reasons = readiness.reasons()
    if reasons:
        return JsonResponse({"status": "not ready", "reason": "; ".join(reasons)}, status=503)
    return JsonResponse({"status": "ready"})


@require_safe
@never_cache
def metrics_text(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for this machine itself or for a bearer token."""
    if not (_is_local(request) or access.bearer_ok(_bearer(request))):
        return HttpResponseForbidden("Metrics need a bearer token.", content_type="text/plain")
    return HttpResponse(metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_local(request: HttpRequest) -> bool:
    """Asked over the loopback, and not by a proxy on behalf of somebody else."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
