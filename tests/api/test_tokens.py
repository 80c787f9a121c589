"""Bearer tokens and the command that makes them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from callops.api.models import ApiToken
from callops.api.tokens import is_good, issue, user_of
from callops.core.access import bearer_ok
from tests.api.conftest import NOON


def test_a_token_stands_for_its_user(viewer: User) -> None:
    token = issue(viewer, NOON)

    assert user_of(token, NOON) == viewer
    assert is_good(token)


def test_only_the_hash_of_a_token_is_stored(viewer: User) -> None:
    token = issue(viewer, NOON)

    row = ApiToken.objects.get()
    assert row.digest == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize("text", ["", "callops_", "nonsense", "ü", "\udcff", "a" * 10_000])
def test_any_other_text_stands_for_nobody(viewer: User, text: str) -> None:
    issue(viewer, NOON)

    assert user_of(text, NOON) is None


def test_the_token_of_an_inactive_user_is_refused(viewer: User) -> None:
    token = issue(viewer, NOON)
    User.objects.update(is_active=False)

    assert user_of(token, NOON) is None


def test_the_last_use_is_noted_at_most_once_a_minute(viewer: User) -> None:
    token = issue(viewer, NOON)
    noted = []

    for seconds in (0, 59, 60):
        user_of(token, NOON + timedelta(seconds=seconds))
        noted.append(ApiToken.objects.get().last_used_at)

    assert noted == [NOON, NOON, NOON + timedelta(seconds=60)]


def test_a_token_opens_the_metrics_from_afar(viewer: User) -> None:
    assert bearer_ok(issue(viewer, NOON))
    assert not bearer_ok("callops_guess")


def test_the_command_prints_the_token_alone(viewer: User) -> None:
    out, err = StringIO(), StringIO()

    call_command("create_api_token", "viewer", stdout=out, stderr=err)

    assert user_of(out.getvalue().removesuffix("\n"), NOON) == viewer
    assert err.getvalue() == ""


def test_the_command_says_how_to_make_an_unknown_user(db: None) -> None:
    with pytest.raises(CommandError, match="createsuperuser") as caught:
        call_command("create_api_token", "nobody")

    assert caught.value.returncode == 1


def test_the_command_refuses_an_inactive_user(viewer: User) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="not active"):
        call_command("create_api_token", "viewer")
    assert not ApiToken.objects.exists()
