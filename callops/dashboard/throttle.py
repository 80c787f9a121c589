"""Five wrong passwords for one name or address within five minutes close sign-in for that name or address."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

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


def closed_for(*, name: str, address: str, now: datetime) -> int:
    """For how many seconds sign-in stays closed for this name or address; 0 when it is open."""
    tries = (FailedSignIn.objects.filter(name=name_key(name)), FailedSignIn.objects.filter(address=address))
    opens = [found[0] + WINDOW for rows in tries if (found := _oldest_that_counts(rows, now))]
    return max((int((at - now).total_seconds()) + 1 for at in opens), default=0)


def _oldest_that_counts(rows: QuerySet[FailedSignIn], now: datetime) -> list[datetime]:
    """When the try was made whose end opens sign-in: the fifth from the last; empty when there are fewer."""
    return list(rows.filter(at__gte=now - WINDOW).order_by("-at").values_list("at", flat=True)[TRIES - 1 : TRIES])


def take_back(attempt: FailedSignIn) -> None:
    """This try was not wrong; earlier ones still count."""
    FailedSignIn.objects.filter(pk=attempt.pk).delete()


def forgive(attempt: FailedSignIn) -> None:
    """The password was right: this try and the earlier ones for the same name no longer count."""
    forgive_name(attempt.name)


def forgive_name(name: str) -> None:
    """Wrong tries for this name no longer count."""
    FailedSignIn.objects.filter(name=name_key(name)).delete()


def name_key(name: str) -> str:
    """One key for however the name was typed."""
    return storable(name).strip().casefold()[:150]
