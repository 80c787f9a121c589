"""Calls and signs of a fleet, made with the time they are to have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callops.calls.models import Call
from callops.core.ids import new_id
from callops.core.models import Beat
from tests.rows import make_call, make_ringing_call, make_session


def fails(when: datetime, stage: str = "sip_rejected", **fields: Any) -> Call:
    """A call that began then, failed and is over; no dial of it is remembered, so that nothing else is alarming."""
    known = {"id": new_id(when), "started_at": when, "state": "ended", "ended_at": when, "failure_stage": stage}
    known["ai_dialled_at"] = None
    return make_ringing_call(**{**known, **fields})


def goes_through(when: datetime, **fields: Any) -> Call:
    """A call that began then and whose AI session opened."""
    call = make_call(**{"id": new_id(when), "started_at": when, "ai_dialled_at": when, **fields})
    make_session(call, webhook_at=when, created_at=when, accepted_at=when, opened_at=when, lease_until=when)
    return call


def seen(**signs: datetime) -> None:
    """Beats by name, a dot written as two underscores and a colon as three."""
    for name, when in signs.items():
        Beat.objects.update_or_create(name=name.replace("___", ":").replace("__", "."), defaults={"at": when})
