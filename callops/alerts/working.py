"""What people do to an incident: acknowledge, own, note, collect calls, resolve with a cause, reopen.

A change of its state names the `rev` it was decided on. Whoever was overtaken is told by whom and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from callops.alerts.models import BY_HAND, Cause, Incident, IncidentCall, IncidentStep, Work
from callops.core.text import WHY_UNFIT, is_storable

LONGEST_NOTE: Final = 10_000
LONGEST_TITLE: Final = 120
MOST_CALLS: Final = 500
"""So many calls are put to an incident at once."""


class Refused(Exception):
    """Why it was not done, in a sentence."""


class Stale(Refused):
    """Somebody else was first."""


@transaction.atomic
def open_by_hand(*, title: str, by: str, now: datetime) -> Incident:
    """A new incident, with this title, acknowledged by whoever opened it."""
    known: dict[str, Any] = {"title": _text(title, LONGEST_TITLE, "title"), "opened_by": by, "acknowledged_by": by}
    incident = Incident.objects.create(kind=BY_HAND, began_at=now, opened_at=now, acknowledged_at=now, **known)
    _step(incident.pk, Work.OPENED, by, now)
    return incident


def acknowledge(incident_id: int, *, rev: int, by: str, now: datetime) -> None:
    """Somebody has seen it, and says so."""
    first = {"acknowledged_at": None, "resolved_at": None}
    _change(incident_id, rev, Work.ACKNOWLEDGED, by, now, only=first, acknowledged_at=now, acknowledged_by=by)


def own(incident_id: int, *, rev: int, owner: User | None, by: str, now: datetime) -> None:
    """This person sees to it; None: nobody does. What has an owner is acknowledged."""
    seen = Incident.objects.filter(pk=incident_id, acknowledged_at__isnull=True).exists()
    more: dict[str, Any] = {"acknowledged_at": now, "acknowledged_by": by} if seen and owner else {}
    name = owner.get_username() if owner else "nobody"
    _change(incident_id, rev, Work.OWNED, by, now, text=name, owner=owner, **more)


def resolve(incident_id: int, *, rev: int, cause: str, words: str, by: str, now: datetime) -> None:
    """Its cause is known, or known not to be found; a person's incident is over with it."""
    if cause not in Cause.values:
        raise Refused("Choose a cause.")
    told: dict[str, Any] = {
        "resolved_at": now,
        "resolved_by": by,
        "cause": cause,
        "cause_words": _text(words, LONGEST_NOTE, "cause"),
    }
    if Incident.objects.filter(pk=incident_id, kind=BY_HAND).exists():
        told["closed_at"] = now
    text = f"{Cause(cause).label}: {told['cause_words']}"
    _change(incident_id, rev, Work.RESOLVED, by, now, only={"resolved_at": None}, text=text, **told)


def reopen(incident_id: int, *, rev: int, by: str, now: datetime) -> None:
    """It is not resolved after all; the cause that was given stays in what was done."""
    told: dict[str, Any] = {"resolved_at": None, "resolved_by": "", "cause": "", "cause_words": ""}
    if Incident.objects.filter(pk=incident_id, kind=BY_HAND).exists():
        told["closed_at"] = None
    _change(incident_id, rev, Work.REOPENED, by, now, only={"resolved_at__isnull": False}, **told)


def note(incident_id: int, *, text: str, by: str, now: datetime) -> None:
    """The note stands with the incident."""
    _step(incident_id, Work.NOTED, by, now, _text(text, LONGEST_NOTE, "note"))


@transaction.atomic
def collect(incident_id: int, calls: Collection[str], *, by: str, now: datetime) -> int:
    """These calls belong to it; how many did not before. Raises `Refused` when it was resolved meanwhile."""
    if len(calls) > MOST_CALLS:
        raise Refused(f"That are more than {MOST_CALLS} calls; add them in smaller lots.")
    if (held := Incident.objects.select_for_update().get(pk=incident_id)).resolved_at:
        raise Refused(f"Incident {incident_id} was resolved by {held.resolved_by}. Reopen it first, or open a new one.")
    rows = IncidentCall.objects.filter(incident=incident_id)
    back = rows.filter(call__in=calls, is_out=True).update(is_out=False, by=by, at=now)
    known = set(rows.filter(call__in=calls).values_list("call_id", flat=True))
    new = [IncidentCall(incident_id=incident_id, call_id=call, by=by, at=now) for call in calls if call not in known]
    IncidentCall.objects.bulk_create(new)
    if count := len(new) + back:
        _step(incident_id, Work.COLLECTED, by, now, str(count) if count > 1 else next(iter(calls)))
    return count


@transaction.atomic
def leave_out(incident_id: int, call: str, *, by: str, now: datetime) -> None:
    """The call is none of it, though it failed like the others."""
    told = {"is_out": True, "by": by, "at": now}
    if not IncidentCall.objects.filter(incident=incident_id, call=call).update(**told):
        IncidentCall.objects.create(incident_id=incident_id, call_id=call, **told)
    _step(incident_id, Work.LEFT_OUT, by, now, call)


@transaction.atomic
def _change(
    incident_id: int,
    rev: int,
    what: Work,
    by: str,
    now: datetime,
    *,
    text: str = "",
    only: dict[str, Any] | None = None,
    **fields: Any,
) -> None:
    """The state is changed and the step written, if nobody changed it since `rev`."""
    rows = Incident.objects.filter(pk=incident_id, rev=rev, **(only or {}))
    if not rows.update(rev=rev + 1, **fields):
        last = IncidentStep.objects.filter(incident=incident_id).exclude(what=Work.NOTED).last()
        who = f"{last.by} {Work(last.what).label}" if last else "somebody changed it"
        raise Stale(f"This page was no longer right: {who} in the meantime. Look again; nothing was done.")
    _step(incident_id, what, by, now, text)


def _step(incident_id: int, what: Work, by: str, now: datetime, text: str = "") -> None:
    IncidentStep.objects.create(incident_id=incident_id, at=now, by=by, what=what, text=text)


def _text(told: str, longest: int, name: str) -> str:
    text = told.replace("\r\n", "\n").strip()  # browsers send both and count one
    if not is_storable(text):
        raise Refused(WHY_UNFIT)
    if not text:
        raise Refused(f"Write the {name} first.")
    if len(text) > longest:
        raise Refused(f"The {name} has {len(text)} characters; {longest} are kept at most. Shorten it.")
    return text
