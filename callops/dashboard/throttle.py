"""Five wrong passwords for one name or address within five minutes close sign-in for that name or address."""

from __future__ import annotations

from datetime import datetime, timedelta

from callops.core.text import storable
from callops.dashboard.models import FailedSignIn

TRIES = 5
WINDOW = timedelta(minutes=5)


def try_sign_in(*, name: str, address: str, now: datetime) -> FailedSignIn | None:
    """A try, counted as wrong until `forgive` says otherwise; None when sign-in is closed for this name or address.

    It is counted before the password is looked at, so that tries side by side cannot slip past the limit.
    """
    FailedSignIn.objects.filter(at__lt=now - WINDOW).delete()
    attempt = FailedSignIn.objects.create(name=name_key(name), address=address, at=now)
    per_name = FailedSignIn.objects.filter(name=attempt.name).count()
    per_address = FailedSignIn.objects.filter(address=address).count()
    if max(per_name, per_address) > TRIES:
        attempt.delete()
        return None
    return attempt


def forgive(attempt: FailedSignIn) -> None:
    """The password was right: this try and the earlier ones for the same name no longer count."""
    FailedSignIn.objects.filter(name=attempt.name).delete()


def name_key(name: str) -> str:
    """One key for however the name was typed."""
    return storable(name).strip().casefold()[:150]
