"""Rows the pages are tested with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import F
from django.test import Client

from callops.calls.models import Call, Destination, Line
from callops.core import notify
from callops.core.clock import now
from callops.core.database import in_db
from callops.core.ids import new_id, new_token
from callops.dashboard import signs
from callops.dashboard.hub import hub
from callops.people.sessions import use
from callops.sideband.models import Turn
from callops.transfers.models import TransferAttempt

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

MakeCall = Callable[..., Call]
SEEING = User(pk=1, username="seeing")
"""A user who may see, with numbers; `quiet_hub` puts the row there."""


@pytest.fixture(scope="session")
def make_call() -> MakeCall:
    """A live call of a new line or the given one; any field may be set."""

    def make(**fields: Any) -> Call:
        at = fields.pop("started_at", None) or now() - timedelta(seconds=60)
        plain = {"from_number": "+15550123", "to_number": "+15550100", "state": "live", "ai_session": "open"}
        return Call.objects.create(id=new_id(at), token=new_token(), started_at=at, **{**plain, **fields})

    return make


def make_line(**fields: Any) -> Line:
    return Line.objects.create(**{"number": "+15550100", "name": "Northline support", **fields})


@transaction.atomic
def make_turn(call: Call, position: int, text: str, **fields: Any) -> Turn:
    """A turn as the sideband writes it: the call's revision goes up with it."""
    Call.objects.filter(pk=call.pk).update(turn_rev=F("turn_rev") + 1)
    call.refresh_from_db()
    plain = {"speaker": "caller", "item_id": f"item_{position}_{call.turn_rev}", "started_at": now(), "final": True}
    return Turn.objects.create(call=call, position=position, text=text, rev=call.turn_rev, **{**plain, **fields})


def said(call: Call, position: int, text: str, **fields: Any) -> Turn:
    turn = make_turn(call, position, text, **fields)
    notify.call_changed(call.pk)
    return turn


@transaction.atomic
def change_turn(turn: Turn, **fields: Any) -> None:
    """A turn changed as the sideband changes it."""
    call = Call.objects.get(pk=turn.call_id)
    Call.objects.filter(pk=call.pk).update(turn_rev=call.turn_rev + 1)
    Turn.objects.filter(pk=turn.pk).update(rev=call.turn_rev + 1, **fields)


@transaction.atomic
def take_back(turn: Turn) -> None:
    """A turn removed as the sideband removes it."""
    Call.objects.filter(pk=turn.call_id).update(turn_rev=F("turn_rev") + 1)
    turn.delete()


def make_attempt(call: Call, **fields: Any) -> TransferAttempt:
    asked = fields.pop("requested_at", now())
    plain = {
        "target_uri": "tel:+15550111",
        "target_label": "Front desk",
        "policy": "refer_then_redirect",
        "requested_by": "supervisor",
    }
    return TransferAttempt.objects.create(
        id=new_id(asked), call=call, token=new_token(), requested_at=asked, **{**plain, **fields}
    )


@pytest.fixture
def frontdesk(db: None) -> Destination:
    return Destination.objects.create(name="frontdesk", label="Front desk", uri="tel:+15550111")


@pytest.fixture
def supervisor(db: None) -> User:
    """May see and act."""
    user = User.objects.create_user("supervisor", password="correct-horse-1")
    user.user_permissions.add(Permission.objects.get(codename="add_transferattempt"))
    return user


@pytest.fixture
def watcher(db: None) -> User:
    """May only see."""
    return User.objects.create_user("watcher", password="correct-horse-2")


@pytest.fixture(autouse=True)
def fresh_signs() -> None:
    """What another test saw of the house is not shown to this one."""
    signs.forget()


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    """The browser of a supervisor, just used."""
    client.force_login(supervisor)
    session = client.session
    use(session, now())
    session.save()
    return client


def _somebody_sees() -> None:
    user, _ = User.objects.get_or_create(pk=SEEING.pk, defaults={"username": SEEING.username})
    user.user_permissions.set(Permission.objects.filter(codename="see_numbers"))
    SEEING.__dict__.pop("_callops_standing", None)


@pytest.fixture
async def quiet_hub() -> AsyncIterator[None]:
    """Each test has a hub of its own, on its own loop."""
    await in_db(_somebody_sees)()
    yield
    await hub.stop()
