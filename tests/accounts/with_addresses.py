"""docs/security.md has a row for each address of the extra; no page has a script or a style in it."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.test import Client

from tests.people.test_table import DOC, ROW, TABLE, WHO, addresses, person

EXTRA = {
    (method, path): tuple(cells.split(" | "))
    for method, path, cells in ROW.findall(DOC.read_text())
    if path.startswith("account/")
}
PAGES = [path for method, path in EXTRA if method == "GET" and "oidc" not in path]


def test_every_address_of_the_extra_stands_in_its_table_and_no_other() -> None:
    assert {path for _, path in EXTRA} | {path for method, path in TABLE if method != "SOCKET"} == set(addresses())


def entered(who: str) -> Client:
    """Somebody of this role who came in by the sign-in page."""
    client = Client()
    if who != "nobody":
        user = person(who)
        user.set_password("correct-horse-1")
        user.save()
        client.post("/login/", {"username": who, "password": "correct-horse-1"})
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", WHO)
def test_each_address_does_what_the_table_says(path: str, who: str) -> None:
    answer = entered(who).get("/" + path.replace("<int:pk>", "1"))
    wanted = EXTRA["GET", path][WHO.index(who)]

    if wanted == "yes":
        assert answer.status_code in (200, 302, 404)
        assert not answer.headers.get("Location", "").startswith("/login/")
    else:
        assert answer.headers["Location"].startswith("/login/")


@pytest.mark.django_db
def test_no_page_has_anything_inline_and_all_of_it_is_ours() -> None:
    user = User.objects.create_user("nora", password="correct-horse-1")
    stranger, client = Client(), Client()
    client.post("/login/", {"username": "nora", "password": "correct-horse-1"})
    pages = [stranger.get("/login/"), client.get("/account/app/add/"), client.get("/account/passkeys/add/")]
    totp.TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=user, type="recovery_codes", data={"migrated_codes": []})
    stranger.post("/login/", {"username": "nora", "password": "correct-horse-1"})
    pages += [stranger.get("/account/second-factor/"), *(client.get(f"/account/{each}") for each in ("", "codes/new/"))]
    pages += [client.get(f"/account/{each}") for each in ("app/remove/", "again/", "again/code/")]

    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert "<style" not in text
        assert not re.search(r"\s(on\w+|style)=\"", text)
        scripts = re.findall(r"<script([^>]*)>", text)
        assert scripts
        assert all('src="/static/' in each or 'type="application/json"' in each for each in scripts), scripts
        assert page.headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'"
        )
