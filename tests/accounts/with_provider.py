"""OpenID Connect: who the provider vouches for comes in as the settings say, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from callops.accounts import switching
from callops.audit.models import Entry
from callops.people import groups
from callops.people.roles import Role
from tests.accounts.provider import OTHER_KEY, Provider, running

pytestmark = pytest.mark.django_db
DESK = (("desk", "supervisor"), ("boss", "administrator"))


@pytest.fixture
def provider(configure: Callable[..., Any], settings: Any) -> Iterator[Provider]:
    cache.clear()
    with running() as provider:
        config = configure(oidc_issuer=provider.issuer)
        settings.SOCIALACCOUNT_PROVIDERS = switching.settings_of(config)["SOCIALACCOUNT_PROVIDERS"]
        yield provider


def come(client: Client, wanted: str = "/calls/", **more: str) -> HttpResponse:
    """Through the provider and back."""
    there = client.get("/account/oidc/sso/", {"next": wanted})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["Location"]).query).items()}
    assert asked["redirect_uri"].endswith("/account/oidc/sso/back/")
    assert asked["code_challenge_method"] == "S256"
    return client.get("/account/oidc/sso/back/", {"code": "c", "state": asked["state"], **more})


def test_a_person_who_is_there_is_found_by_the_confirmed_address(client: Client, provider: Provider) -> None:
    user = User.objects.create_user("nora", email="Nora@Example.com", password="correct-horse-1")
    groups.give(user, Role.ANALYST)

    answer = come(client)

    assert answer.headers["Location"] == "/calls/"
    assert client.get("/").wsgi_request.user == user
    assert groups.role_of(user) == Role.ANALYST
    assert provider.asked["code_verifier"]
    user.refresh_from_db()
    assert user.check_password("correct-horse-1")
    assert Entry.objects.get().detail["by"] == "OpenID Connect"
    assert SocialAccount.objects.get().extra_data == {"id_token": {"sub": "42", "email": "nora@example.com"}}
    provider.claims["email"] = "nora.married@example.com"
    assert come(Client()).headers["Location"] == "/calls/"


def test_nobody_new_comes_in_without_domains_and_roles(client: Client, provider: Provider) -> None:
    answer = come(client)

    assert answer.status_code == 403
    assert "There is nobody with the address nora@example.com here." in answer.content.decode()
    assert not User.objects.exists()
    assert Entry.objects.get().verb == "sign in failed"


def test_a_new_person_of_an_allowed_domain_has_no_role(client: Client, provider: Provider, configure: Any) -> None:
    configure(oidc_domains=("example.com",))

    assert come(client).status_code == 302
    user = User.objects.get()
    assert (user.username, groups.role_of(user), user.has_usable_password()) == ("nora@example.com", None, False)
    assert client.get("/").status_code == 200


def test_another_domain_stays_out(client: Client, provider: Provider, configure: Any) -> None:
    configure(oidc_domains=("example.org",))

    assert "People of example.com are not let in here." in come(client).content.decode()
    assert client.get("/").status_code == 302


def test_groups_give_and_take_the_role_at_each_sign_in(client: Client, provider: Provider, configure: Any) -> None:
    configure(oidc_roles=DESK, oidc_domains=("example.com",))
    found = []
    for told in (["desk"], ["desk", "boss"], []):
        provider.claims["groups"] = told
        come(Client())
        found.append(groups.role_of(User.objects.get()))

    assert found == [Role.SUPERVISOR, Role.ADMINISTRATOR, None]
    assert [entry.detail.get("role") for entry in Entry.objects.filter(verb="change person").order_by("number")] == [
        None,
        "supervisor",
        "administrator",
        "none",
    ]


@pytest.mark.parametrize("wrong", ["signature", "audience", "subject", "unconfirmed", "cancelled", "state"])
def test_an_answer_that_proves_nothing_lets_nobody_in(
    client: Client, provider: Provider, configure: Any, wrong: str
) -> None:
    configure(oidc_domains=("example.com",))
    more: dict[str, str] = {}
    if wrong == "signature":
        provider.key = OTHER_KEY
    elif wrong == "audience":
        provider.audience = "somebody-else"
    elif wrong == "subject":
        provider.userinfo["sub"] = "43"
    elif wrong == "unconfirmed":
        provider.claims["email_verified"] = False
    elif wrong == "cancelled":
        more["error"] = "access_denied"
    else:
        more["state"] = "made-up"

    answer = come(client, **more)

    assert answer.status_code == 403
    assert not User.objects.exists()
    assert client.get("/").status_code == 302
    assert Entry.objects.filter(verb="sign in failed").exists()


def test_the_second_factor_is_asked_after_the_provider_too(client: Client, provider: Provider) -> None:
    user = User.objects.create_user("nora", email="nora@example.com")
    totp.TOTP.activate(user, "JBSWY3DPEHPK3PXP")

    assert come(client).headers["Location"] == "/account/second-factor/"
    assert client.get("/").status_code == 302


def test_who_was_removed_does_not_come_in(client: Client, provider: Provider) -> None:
    User.objects.create_user("nora", email="nora@example.com", is_active=False)

    assert come(client).status_code == 403


def test_signing_in_by_the_provider_never_leads_to_another_site(client: Client, provider: Provider) -> None:
    User.objects.create_user("nora", email="nora@example.com")

    assert come(client, wanted="https://evil.example/").headers["Location"] == "/"


def test_only_our_provider_and_only_to_sign_in(client: Client, provider: Provider, configure: Any) -> None:
    assert client.get("/account/oidc/other/").status_code == 404
    assert client.get("/account/oidc/sso/?process=connect").status_code == 400
    configure(oidc_issuer="")
    assert client.get("/account/oidc/sso/").status_code == 404
