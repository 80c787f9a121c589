"""Whom a request comes from, when a proxy of ours stands in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from callops.core.config import Config
from callops.core.proxies import client_address

PROXIES = ("127.0.0.1/32", "10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first was made up by the second
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody we trust says so
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "nonsense"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(peer: str, forwarded_for: str, address: str) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


def sign_in(address: str) -> int:
    form = {"username": "nobody", "password": "wrong"}
    return Client().post("/login/", form, headers={"X-Forwarded-For": address}).status_code


@pytest.mark.django_db
def test_one_persons_wrong_passwords_do_not_keep_others_behind_the_same_proxy_out(
    configure: Callable[..., Config],
) -> None:
    configure(trusted_proxies=("127.0.0.1/32",))
    for number in range(6):
        form = {"username": f"guess-{number}", "password": "wrong"}
        Client().post("/login/", form, headers={"X-Forwarded-For": "203.0.113.9"})

    assert sign_in("203.0.113.9") == 429
    assert sign_in("198.51.100.7") != 429
