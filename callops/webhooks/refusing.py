"""What is said to a request that cannot be shown to be the provider's, and what is kept of it.

Judged after the signature: whoever signs rightly is never kept waiting, however many others do not.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from callops.core.config import config
from callops.core.counters import bump
from callops.core.database import AWAY
from callops.core.doors import OPENAI, TWILIO, Door, too_often
from callops.core.proxies import asker
from callops.core.rates import rates
from callops.core.refusals import note
from callops.providers.openai import webhook
from callops.providers.twilio import signature
from callops.webhooks import causes

TEXT = "text/plain; charset=utf-8"


def unsigned_carrier(request: HttpRequest, refusal: signature.BadSignature, now: datetime) -> HttpResponse:
    """403 and one more on the page of the doors, or 429 for an address that sends nothing else."""
    answer = _too_often(request, TWILIO, now)
    if answer is None:
        came = causes.Carried(
            public_url=config().public_url,
            path=request.get_full_path(),
            method=request.method or "GET",
            params={name: request.POST.getlist(name) for name in request.POST},
            body=request.body,
            headers=request.headers,
        )
        settings = config()
        account, tokens = settings.twilio_account_sid, settings.twilio_auth_tokens
        cause = causes.of_carrier(refusal.reason, came, tokens=tokens, account=account)
        _keep("refused.twilio_signature", TWILIO, refusal.reason, cause, f"{request.path}: {refusal.reason}", now)
        words = "The signature does not fit this address and body.\n"
        answer = HttpResponse(words, status=403, content_type="text/plain")
    return answer


def unsigned_openai(request: HttpRequest, refusal: webhook.BadSignature, now: datetime) -> HttpResponse:
    """400 and one more on the page of the doors, or 429 for an address that sends nothing else."""
    answer = _too_often(request, OPENAI, now)
    if answer is None:
        secrets = config().openai_webhook_secrets
        cause = causes.of_openai(refusal.reason, secrets=secrets, headers=request.headers, body=request.body, now=now)
        _keep("refused.openai_signature", OPENAI, refusal.reason, cause, refusal.reason, now)
        words = f"This delivery was not taken: {refusal.reason}.\n"
        answer = HttpResponse(words, status=400, content_type=TEXT)
    return answer


def _too_often(request: HttpRequest, door: Door, now: datetime) -> HttpResponse | None:
    """Neither counted nor written down: a flood costs no write."""
    wait_s = rates.wait_s(("unsigned", door.name, asker(request)), door.bad_a_minute, now.timestamp())
    if not wait_s:
        return None
    words = f"{too_often(wait_s)}\n"
    return HttpResponse(words, status=429, content_type=TEXT, headers={"Retry-After": str(wait_s)})


def _keep(name: str, door: Door, reason: str, cause: str, told: str, now: datetime) -> None:
    with contextlib.suppress(*AWAY):  # that it was refused matters more than that it is known
        bump(name, now, told)
        note(door, reason, cause, now)
