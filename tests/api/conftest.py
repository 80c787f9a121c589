"""People, and calls in the states the API tells of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from callops.api.tokens import issue
from callops.calls.models import Call, Destination, Line
from callops.core.ids import new_id, new_token

NOON = datetime(2026, 3, 1, 12, 0, 0, 120_000, tzinfo=UTC)


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create_user("viewer")


@pytest.fixture
def supervisor(db: None) -> User:
    user = User.objects.create_user("supervisor1")
    user.user_permissions.add(Permission.objects.get(codename="add_transferattempt"))
    return user


@pytest.fixture
def api(supervisor: User) -> Client:
    """A supervisor's script."""
    return Client(headers={"Authorization": f"Bearer {issue(supervisor, NOON)}"})


@pytest.fixture
def viewer_api(viewer: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {issue(viewer, NOON)}"})


@pytest.fixture
def line(db: None) -> Line:
    return Line.objects.create(number="+15550100", name="Northline support")


@pytest.fixture
def frontdesk(db: None) -> Destination:
    return Destination.objects.create(name="frontdesk", label="Front desk", uri="tel:+15550111")


@pytest.fixture
def make_call(line: Line) -> Callable[..., Call]:
    made: list[Call] = []

    def make(**fields: Any) -> Call:
        at = NOON + timedelta(seconds=len(made))
        known = {
            "id": new_id(at),
            "token": new_token(),
            "line": line,
            "from_number": "+15550123",
            "to_number": "+15550100",
            "carrier_sid": f"CA{len(made):032x}",
            "ai_call_id": f"rtc_{len(made)}",
            "state": "live",
            "ai_session": "open",
            "started_at": at,
        }
        made.append(Call.objects.create(**{**known, **fields}))
        return made[-1]

    return make


@pytest.fixture
def call(make_call: Callable[..., Call]) -> Call:
    return make_call()
