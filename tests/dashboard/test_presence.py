"""Who else is on a call: everybody who watches reads it at once, and reads it again when somebody leaves."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from callops.core.database import in_db
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import MakeCall

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_hub")]
MARK = '<span class="watcher">{}</span>'


def person(name: str) -> User:
    return User.objects.create_user(name)


def last_looking(page: Browser) -> str:
    """What the page shows of who looks: the last piece that said so."""
    return next(text for text in reversed(page.received) if 'id="looking"' in text)


async def test_two_people_on_one_call_read_each_others_names(make_call: MakeCall) -> None:
    call = await in_db(make_call)()
    path = f"/ws/calls/{call.pk}/?seq=0&rev=0"
    first, second = [await in_db(person)(name) for name in ("alice", "bob")]
    async with Browser(path, first) as alice:
        async with Browser(path, second) as bob:
            await alice.until(lambda page: page.saw(MARK.format("bob")))
            await bob.until(lambda page: page.saw(MARK.format("alice")))
        await alice.until(lambda page: MARK.format("bob") not in last_looking(page))
