"""A sideband that changes hands while its owner still reads it, so that no event falls between the two.

The owner who is about to leave offers it; an heir attaches a second socket and says that it hears; only then does the
owner stop, keep what it read and name the heir the new owner. Each step is a compare-and-set on the session's row.
"""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now

from callops.core.notify import calls_changed
from callops.core.prepared import Asked, Prepared
from callops.sideband import leases
from callops.sideband.leases import UNHEIRED
from callops.sideband.models import AiSession

HEIR_S = 12.0
"""How long an heir may take from its claim to the end of the handing over; then another may try."""


def offer(owner: str) -> None:
    """Every open sideband of this owner is on offer; the others were told to look."""
    mine = AiSession.objects.filter(lease_owner=owner, closed_at__isnull=True, opened_at__isnull=False)
    mine.update(**{**UNHEIRED, "offered_at": Now()})
    calls_changed(list(mine.values_list("call_id", flat=True)))


def offered(owner: str) -> list[int]:
    """Sidebands of others that are on offer and have no heir."""
    return sorted(pk for (pk,) in _OFFERED(owner=owner))


_OFFERED = Prepared(
    lambda: (
        AiSession.objects.filter(
            Q(heir="") | Q(heir_until__lt=Now()),
            offered_at__isnull=False,
            closed_at__isnull=True,
            lease_until__gte=Now(),
        )
        .exclude(lease_owner=Asked("owner"))
        .order_by("offered_at")  # as its index has them
        .values_list("pk")
    )
)


def inherit(session_id: int, heir: str) -> bool:
    """This engine is the heir; False when another is, or nothing is on offer any more."""
    free = Q(heir="") | Q(heir_until__lt=Now())
    rows = AiSession.objects.filter(free, pk=session_id, offered_at__isnull=False, closed_at__isnull=True)
    return rows.update(heir=heir, heir_until=leases.until(lease_s=HEIR_S), heir_at=None) == 1


def hears(session_id: int, heir: str) -> None:
    """The heir's own socket is open: the owner may stop."""
    AiSession.objects.filter(pk=session_id, heir=heir).update(heir_at=Now())


def decline(session_id: int, heir: str) -> None:
    """The heir could not attach; another may."""
    AiSession.objects.filter(pk=session_id, heir=heir).update(heir="", heir_until=None, heir_at=None)


def relieved(owner: str) -> list[int]:
    """Sidebands of this owner whose heir hears."""
    mine = AiSession.objects.filter(lease_owner=owner, closed_at__isnull=True, heir_at__isnull=False)
    return list(mine.exclude(heir="").values_list("pk", flat=True))


def hand_over(session_id: int, owner: str) -> bool:
    """The heir is the owner; False when there is none or the lease was lost. Call it when all that was read is kept."""
    session = AiSession.objects.filter(pk=session_id, lease_owner=owner, closed_at__isnull=True).first()
    if session is None or not session.heir or session.heir_at is None:
        return False
    mine = AiSession.objects.filter(pk=session_id, lease_owner=owner, heir=session.heir)
    return mine.update(lease_owner=session.heir, lease_until=leases.until(), **UNHEIRED) == 1


def take_up(session_id: int, heir: str) -> bool | None:
    """Whether the sideband is the heir's now; None: not yet. If the owner died meanwhile the heir claims it."""
    session = AiSession.objects.get(pk=session_id)
    if session.closed_at is not None:
        return False
    if session.lease_owner == heir or leases.claim(session_id, owner=heir):
        return True
    return None if session.heir == heir else False
