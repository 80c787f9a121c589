from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from callops.calls.models import Destination, Line
from callops.site import demo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_demo_has_three_lines_three_desks_and_a_supervisor_who_may_transfer() -> None:
    username, password = demo.furnish()

    user = authenticate(username=username, password=password)
    assert isinstance(user, User)
    assert user.has_perms(["transfers.add_transferattempt", "people.administer"])
    assert not user.is_superuser
    assert not user.is_staff
    assert set(Line.objects.values_list("number", "transfer_policy")) == {
        ("+15550100", "refer_then_redirect"),
        ("+15550101", "redirect_only"),
        ("+15550102", "refer_only"),
    }
    frontdesk = Destination.objects.get(name="frontdesk")
    assert frontdesk.next == Destination.objects.get(name="oncall")
    assert Destination.objects.filter(name="medical_priority", uri="tel:+15550113").exists()


def test_furnishing_twice_changes_nothing() -> None:
    first = demo.furnish()
    before = User.objects.get().password

    assert demo.furnish() == first
    assert User.objects.get().password == before
    assert Line.objects.count() == 3
