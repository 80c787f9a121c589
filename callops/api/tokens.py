"""Bearer tokens: issued once, known afterwards only by their hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from callops.api.models import ApiToken
from callops.core.clock import now as clock_now
from callops.core.prepared import Asked, PreparedRows

PREFIX = "callops_"
_RANDOM_BYTES = 32
_USE_NOTED_EVERY = timedelta(minutes=1)
_WITH_DIGEST = PreparedRows(lambda: ApiToken.objects.select_related("user").filter(digest=Asked("digest")))


def issue(user: User, now: datetime) -> str:
    """A new token of the user: 256 random bits after a prefix that secret scanners can look for."""
    token = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    ApiToken.objects.create(user=user, digest=_digest(token), created_at=now)
    return token


def user_of(token: str, now: datetime) -> User | None:
    """The active user the token stands for, and the use is noted (at most once a minute); None for any other text.

    The look-up goes by hash, so the time it takes tells nothing about the token.
    """
    digest = _digest(token)
    row = _WITH_DIGEST.first(digest=digest)
    if row is None or not hmac.compare_digest(row.digest, digest) or not row.user.is_active:
        return None
    if row.last_used_at is None or now - row.last_used_at >= _USE_NOTED_EVERY:
        with transaction.atomic():  # on SQLite it waits for its turn instead of looking again and again
            ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row.user


def is_good(token: str) -> bool:
    """Whether the token stands for an active user, now."""
    return user_of(token, clock_now()) is not None


def cause_of(token: str) -> str:
    """Why a token that was refused is none, as far as its shape shows. Pure."""
    if token.strip().startswith(PREFIX):
        return "It is shaped like ours and stands for nobody: its person was removed, or it is of another database."
    return "It is no token of ours: somebody tries, or a script sends another service's. create_api_token makes one."


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
