"""Rows that a figure begins with: a line, a destination, calls in the state that is measured."""

from __future__ import annotations

import itertools
from datetime import timedelta

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import F
from django.test import Client

from callops.api import tokens
from callops.calls.intake import open_call
from callops.calls.models import Call, Destination, Leg, Line
from callops.calls.words import LegStatus, Role, Session, State
from callops.core import clock
from callops.sideband.models import AiSession, Turn
from callops.transfers import switching
from callops.transfers.models import Force

NUMBER, CALLER = "+14155550100", "+14155550142"
DESK = "front-desk"

_numbers = itertools.count(1)


def fresh_sid() -> str:
    """A leg's id nobody had before."""
    return f"CA{next(_numbers):032x}"


def fresh_ai_call_id() -> str:
    """An AI call's id nobody had before."""
    return f"rtc_bench_{next(_numbers)}"


@transaction.atomic
def set_up(*, refer_deadline_s: float | None = None) -> None:
    """One line on which REFER always goes first, one destination, and no call."""
    for model in (Call, Line, Destination, User):
        model.objects.all().delete()
    Destination.objects.create(name=DESK, label="Front desk", uri="tel:+14155550110")
    line = Line.objects.create(number=NUMBER, name="Bench", refer_deadline_s=refer_deadline_s)
    switching.force(line=line, force=Force.CLOSED, by="bench", why="every REFER here stays unseen", now=clock.now())


@transaction.atomic
def token() -> str:
    """A bearer token of a supervisor who may transfer."""
    supervisor = User.objects.create_user("bench")
    supervisor.user_permissions.add(Permission.objects.get(codename="add_transferattempt"))
    return tokens.issue(supervisor, clock.now())


@transaction.atomic
def dialled(count: int) -> list[Call]:
    """Calls whose AI dial is under way: OpenAI's webhook is what comes next."""
    at, line = clock.now(), Line.objects.get()
    return [
        open_call(
            at=at,
            line=line,
            from_number=CALLER,
            to_number=NUMBER,
            carrier_sid=fresh_sid(),
            ai_dialled_at=at,
            webhook_due_at=at + timedelta(hours=1),
        )
        for _ in range(count)
    ]


@transaction.atomic
def live(count: int) -> list[Call]:
    """Calls between a caller and the assistant; nothing holds their sidebands."""
    at = clock.now()
    calls = dialled(count)
    for call in calls:
        call.ai_call_id, call.state, call.ai_session = fresh_ai_call_id(), State.LIVE, Session.OPEN
        call.answered_at, call.webhook_due_at = at, None
        call.save()
        sid, status = call.carrier_sid or "", LegStatus.IN_PROGRESS
        Leg.objects.create(call=call, sid=sid, role=Role.CALLER, status=status, started_at=at, answered_at=at)
    return calls


@transaction.atomic
def held(count: int, *, owner: str) -> list[int]:
    """Accepted sessions, each of a call of its own, whose sidebands `owner` holds; their ids."""
    at = clock.now()
    return [
        AiSession.objects.create(
            call=call,
            ai_call_id=call.ai_call_id or "",
            webhook_at=at,
            created_at=at,
            accepted_at=at,
            lease_owner=owner,
            lease_until=at + timedelta(hours=1),
        ).pk
        for call in live(count)
    ]


@transaction.atomic
def spoken() -> Call:
    """A live call in which one line was said, and one user who may see it."""
    User.objects.create_user("watching")
    call = live(1)[0]
    Call.objects.filter(pk=call.pk).update(turn_rev=1)
    text = "Hi, this is Nora, the automated assistant at Northline Energy. How can I help you today?"
    plain = {"position": 0, "item_id": "item_1", "speaker": "assistant", "started_at": clock.now(), "rev": 1}
    Turn.objects.create(call=call, text=text, **plain)
    return call


@transaction.atomic
def grow(call_id: str) -> None:
    """The line grew as it does while somebody speaks."""
    Call.objects.filter(pk=call_id).update(turn_rev=F("turn_rev") + 1)
    rev = Call.objects.values_list("turn_rev", flat=True).get(pk=call_id)
    Turn.objects.filter(call_id=call_id).update(rev=rev, text=f"Hi, this is Nora. That was {rev}.")


@transaction.atomic
def accepted(count: int) -> dict[str, str]:
    """Accepted sessions that nobody holds yet: the AI's id of each, and its call's."""
    ids = held(count, owner="")
    AiSession.objects.filter(pk__in=ids).update(lease_until=None)
    return dict(AiSession.objects.filter(pk__in=ids).order_by("pk").values_list("ai_call_id", "call_id"))


def cookie() -> str:
    """The session cookie of a supervisor who is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("watching"))
    return f"sessionid={client.cookies['sessionid'].value}"
