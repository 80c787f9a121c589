"""No act of a browser is done without the CSRF token, whoever is signed in: each address of `audit.verbs.ACTS`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client
from django.urls import get_resolver

from callops.audit.middleware import _name
from callops.audit.verbs import ACTS
from callops.people.roles import Role
from tests.people.test_table import TABLE, House, person

SECRET = "a" * 32
"""A cookie and a header that fit each other."""
WISH = {"destination": "frontdesk", "act": "pause", "why": "x", "name": "x", "hours": "1", "title": "x", "words": "x"}


def named(resolver: Any = None, before: str = "", namespace: str = "") -> Iterator[tuple[str, str]]:
    """Every address with its name as the audit knows it."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from named(entry, path, namespace or entry.namespace or "")
        elif entry.name:
            yield _name(namespace, entry.name), path


NAMES = dict(named())
POSTED = sorted(path for method, path in TABLE if method == "POST" and not path.startswith(("twiml/", "webhooks/")))
ADDRESSES = sorted({*(NAMES[name] for name in ACTS), *POSTED, "login/"})


@pytest.fixture
def house(db: None) -> House:
    return House()


def browser(csrf: bool) -> Client:
    client = Client(enforce_csrf_checks=True, headers={"X-CSRFToken": SECRET} if csrf else {})
    client.force_login(person(Role.ADMINISTRATOR))
    client.cookies["csrftoken"] = SECRET
    return client


def asked(client: Client, house: House, path: str) -> int:
    json = {"content_type": "application/json"} if path.startswith("api/") else {}
    return client.post(house.fill(path), WISH, **json).status_code


def everything() -> str:
    """Every row of ours, but the audit's: that an act was tried over the API stands there."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("callops.")]
    kept = [model for model in ours if not model.__module__.startswith("callops.audit")]
    return "".join(serializers.serialize("json", model._default_manager.order_by("pk")) for model in kept)


def test_every_act_has_an_address() -> None:
    assert set(ACTS) <= set(NAMES)
    assert len(ADDRESSES) > len(set(ACTS)) - 2


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_act_without_the_token_is_403_and_does_nothing(house: House, path: str) -> None:
    client, before = browser(csrf=False), everything()

    status = asked(client, house, path)

    assert status == 403
    assert everything() == before
    assert client.get("/calls/").status_code == 200  # nor is anybody signed out


@pytest.mark.parametrize("path", ADDRESSES)
def test_the_same_act_with_the_token_is_not_refused(house: House, path: str) -> None:
    assert asked(browser(csrf=True), house, path) not in (401, 403, 404, 405)


def test_a_token_of_another_session_is_no_token(house: House) -> None:
    client = browser(csrf=True)
    client.cookies["csrftoken"] = "b" * 32

    assert {asked(client, house, path) for path in ADDRESSES} == {403}


def test_a_form_from_another_site_is_refused_even_with_the_token(house: House) -> None:
    client = browser(csrf=True)
    client.defaults["HTTP_ORIGIN"] = "https://evil.example.com"

    assert {asked(client, house, path) for path in ADDRESSES} == {403}
